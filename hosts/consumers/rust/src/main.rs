//! Checks a receipt (spec/40-consensus.md §1, §2) by running the module: samebit-verify FOLDER MODULE HEADER_HASH MODULE_SHA256.
//! Both hashes come from whom the reader trusts, such as a chain; nothing in FOLDER does.
use std::{env, error::Error, fs, path::Path, process::ExitCode};

use sha2::{Digest, Sha256};
use sha3::Keccak256;
use wasmi::{Engine, Linker, Module, Store};

type Result<T> = std::result::Result<T, Box<dyn Error>>;
type Hash = fn(u8, &[&[u8]]) -> Vec<u8>;

fn hash<D: Digest>(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    D::digest([&[tag], parts.concat().as_slice()].concat()).to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn demand(holds: bool, sentence: &str) -> Result<()> {
    if holds { Ok(()) } else { Err(sentence.into()) }
}

/// Root of a tree, filled up with leaves of 32 zero bytes.
fn root<T: AsRef<[u8]>>(h: Hash, leaves: &[T]) -> Vec<u8> {
    let mut level: Vec<Vec<u8>> = leaves.iter().map(|l| h(0, &[l.as_ref()])).collect();
    level.resize(leaves.len().next_power_of_two(), vec![0; 32]);
    while level.len() > 1 {
        level = level.chunks(2).map(|pair| h(1, &[&pair[0], &pair[1]])).collect();
    }
    level.remove(0)
}

fn root_of_tensors(h: Hash, tensors: &[Vec<u8>]) -> Vec<u8> {
    let tensor_root = |t: &Vec<u8>| {
        let mut filled = t.clone();
        filled.resize(t.len().next_multiple_of(32), 0);
        root(h, &filled.chunks(32).collect::<Vec<_>>())
    };
    root(h, &tensors.iter().map(tensor_root).collect::<Vec<_>>())
}

/// Inputs of the folder, and outputs of the module on them.
fn run(wasm: &[u8], folder: &Path) -> Result<(Vec<Vec<u8>>, Vec<Vec<u8>>)> {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let instance = Linker::new(&engine).instantiate_and_start(&mut store, &Module::new(&engine, wasm)?)?;
    let memory = instance.get_memory(&mut store, "memory").ok_or("the module has no memory")?;
    let count = |store: &mut Store<()>, name: &str| -> Result<i32> {
        Ok(instance.get_typed_func::<(), i32>(&mut *store, name)?.call(store, ())?)
    };
    let number = |store: &mut Store<()>, name: &str, i: i32| -> Result<usize> {
        Ok(instance.get_typed_func::<i32, i32>(&mut *store, name)?.call(store, i)? as u32 as usize)
    };
    let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
    for i in 0..count(&mut store, "input_count")? {
        let data = fs::read(folder.join(format!("input-{i}.bin")))?;
        let fits = data.len() == number(&mut store, "input_len", i)?;
        demand(fits, &format!("input {i} is not as long as the model's"))?;
        let place = number(&mut store, "input_ptr", i)?;
        memory.write(&mut store, place, &data)?;
        inputs.push(data);
    }
    demand(count(&mut store, "infer")? == 0, "an input is outside its interval")?;
    for i in 0..count(&mut store, "output_count")? {
        let mut data = vec![0; number(&mut store, "output_len", i)?];
        let place = number(&mut store, "output_ptr", i)?;
        memory.read(&store, place, &mut data)?;
        outputs.push(data);
    }
    Ok((inputs, outputs))
}

fn verify(args: &[String]) -> Result<()> {
    let [_, folder, module, trusted, pin] = args else {
        return Err("the arguments are FOLDER MODULE HEADER_HASH MODULE_SHA256".into());
    };
    let plain = |text: &String| {
        let lower = text.to_lowercase();
        lower.strip_prefix("0x").unwrap_or(&lower).to_owned()
    };
    let (folder, trusted, pin) = (Path::new(folder), plain(trusted), plain(pin));
    let (wasm, header) = (fs::read(module)?, fs::read(folder.join("header.bin"))?);
    let receipt = fs::read(folder.join("receipt.bin"))?;
    demand(hex(&Sha256::digest(&wasm)) == pin, "the module is another one")?;
    demand(header.len() >= 192 && receipt.len() >= 192, "header or receipt is cut short")?;
    demand(header[63] <= 1, "the header names no known hash")?;
    let h: Hash = [hash::<Keccak256>, hash::<Sha256>][usize::from(header[63])];
    demand(hex(&h(2, &[&header])) == trusted, "the header is not the one that is trusted")?;
    demand(receipt[..31] == [0; 31] && receipt[31] == 1, "the receipt is of another version")?;
    demand(hex(&receipt[32..64]) == trusted, "the receipt is of another model")?;
    let (inputs, outputs) = run(&wasm, folder)?;
    demand(root_of_tensors(h, &inputs) == receipt[64..96], "the inputs are not those of the receipt")?;
    let told = root_of_tensors(h, &outputs) == receipt[96..128];
    demand(told, "the model gives other outputs than the receipt claims")?;
    for (i, output) in outputs.iter().enumerate() {
        let file = fs::read(folder.join(format!("output-{i}.bin")))?;
        demand(file == *output, "the files of outputs are others")?;
        println!("output {i}: {}", hex(output));
    }
    println!("verified");
    Ok(())
}

fn main() -> ExitCode {
    match verify(&env::args().collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("refused: {e}");
            ExitCode::FAILURE
        }
    }
}

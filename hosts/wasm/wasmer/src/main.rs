//! Runs the modules of corpus.json on wasmer, compiled by Cranelift: wasmer-host FOLDER PROFILE. A JSON line a module: name, digest, fuel
//! (an operator each), ns.
use std::{env, error::Error, fs, path::Path, sync::Arc, time::Instant};

use serde_json::{json, Value};
use sha2::{Digest, Sha256};
use wasmer::sys::{CompilerConfig, Cranelift, EngineBuilder};
use wasmer::{imports, Instance, Module, Store};
use wasmer_middlewares::metering::{get_remaining_points, set_remaining_points, Metering, MeteringPoints};

const FUEL: u64 = 1 << 62;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Addresses and lengths of all inputs or outputs.
fn areas(store: &mut Store, instance: &Instance, kind: &str) -> Result<Vec<(usize, usize)>> {
    let count = instance.exports.get_typed_function::<(), i32>(store, &format!("{kind}_count"))?;
    let place = instance.exports.get_typed_function::<i32, i32>(store, &format!("{kind}_ptr"))?;
    let length = instance.exports.get_typed_function::<i32, i32>(store, &format!("{kind}_len"))?;
    (0..count.call(store)?).map(|i| Ok((place.call(store, i)? as usize, length.call(store, i)? as usize))).collect()
}

fn run(folder: &Path, entry: &Value) -> Result<Value> {
    let text = |key: &str| entry[key].as_str().unwrap_or_default().to_owned();
    let mut compiler = Cranelift::default();
    compiler.push_middleware(Arc::new(Metering::new(FUEL, |_| 1)));
    let mut store = Store::new(EngineBuilder::new(compiler));
    let module = Module::new(&store, fs::read(folder.join(text("module")))?)?;
    let instance = Instance::new(&mut store, &module, &imports! {})?;
    let memory = instance.exports.get_memory("memory")?.clone();
    let infer = instance.exports.get_typed_function::<(), i32>(&store, "infer")?;
    let inputs = areas(&mut store, &instance, "input")?;
    let outputs = areas(&mut store, &instance, "output")?;
    if let Some(weights) = entry["weights"].as_str() {
        let (bytes, mut from) = (fs::read(folder.join(weights))?, 0);
        let load = instance.exports.get_typed_function::<(i32, i32), i32>(&store, "load_chunk")?;
        for (i, (place, length)) in areas(&mut store, &instance, "chunk")?.into_iter().enumerate() {
            memory.view(&store).write(place as u64, &bytes[from..from + length])?;
            from += length;
            if load.call(&mut store, i as i32, length as i32)? != 0 {
                return Err(format!("{}: chunk {i} is refused", text("name")).into());
            }
        }
    }
    let given = fs::read(folder.join(text("inputs")))?;
    let runs = entry["runs"].as_u64().unwrap_or(0);
    let (mut digest, mut at, mut fuel, mut ns) = (Sha256::new(), 0, 0, 0);
    for _ in 0..runs {
        for &(place, length) in &inputs {
            memory.view(&store).write(place as u64, &given[at..at + length])?;
            at += length;
        }
        set_remaining_points(&mut store, &instance, FUEL);
        let start = Instant::now();
        let status = infer.call(&mut store)?;
        ns += start.elapsed().as_nanos() as u64;
        match get_remaining_points(&mut store, &instance) {
            MeteringPoints::Remaining(left) => fuel += FUEL - left,
            MeteringPoints::Exhausted => return Err("the fuel is spent".into()),
        }
        if status != 0 {
            return Err(format!("{}: infer gives {status}", text("name")).into());
        }
        for &(place, length) in &outputs {
            let mut bytes = vec![0; length];
            memory.view(&store).read(place as u64, &mut bytes)?;
            digest.update(&bytes);
        }
    }
    let digest: String = digest.finalize().iter().map(|b| format!("{b:02x}")).collect();
    Ok(json!({ "module": text("module"), "digest": digest, "fuel": fuel / runs, "ns": ns / runs }))
}

fn main() -> Result<()> {
    let args: Vec<String> = env::args().collect();
    let folder = Path::new(&args[1]);
    let entries: Vec<Value> = serde_json::from_slice(&fs::read(folder.join("corpus.json"))?)?;
    for entry in entries.iter().filter(|e| e["profile"] == args[2].as_str()) {
        println!("{}", run(folder, entry)?);
    }
    Ok(())
}

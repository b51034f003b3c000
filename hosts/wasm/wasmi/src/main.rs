//! Runs the modules of corpus.json on wasmi: wasmi-host FOLDER PROFILE. A JSON line a module: name, digest, fuel, ns.
use std::{env, error::Error, fs, path::Path, time::Instant};

use serde_json::{json, Value};
use sha2::{Digest, Sha256};
use wasmi::{Config, Engine, Instance, Linker, Module, Store};

const FUEL: u64 = 1 << 62;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Addresses and lengths of all inputs or outputs.
fn areas(store: &mut Store<()>, instance: &Instance, kind: &str) -> Result<Vec<(usize, usize)>> {
    let count = instance.get_typed_func::<(), i32>(&mut *store, &format!("{kind}_count"))?;
    let place = instance.get_typed_func::<i32, i32>(&mut *store, &format!("{kind}_ptr"))?;
    let length = instance.get_typed_func::<i32, i32>(&mut *store, &format!("{kind}_len"))?;
    (0..count.call(&mut *store, ())?)
        .map(|i| Ok((place.call(&mut *store, i)? as usize, length.call(&mut *store, i)? as usize)))
        .collect()
}

fn run(engine: &Engine, folder: &Path, entry: &Value) -> Result<Value> {
    let text = |key: &str| entry[key].as_str().unwrap_or_default().to_owned();
    let module = Module::new(engine, fs::read(folder.join(text("module")))?)?;
    let mut store = Store::new(engine, ());
    store.set_fuel(FUEL)?;
    let instance = Linker::new(engine).instantiate_and_start(&mut store, &module)?;
    let memory = instance.get_memory(&mut store, "memory").ok_or("no memory")?;
    let infer = instance.get_typed_func::<(), i32>(&mut store, "infer")?;
    let inputs = areas(&mut store, &instance, "input")?;
    let outputs = areas(&mut store, &instance, "output")?;
    if let Some(weights) = entry["weights"].as_str() {
        let (bytes, mut from) = (fs::read(folder.join(weights))?, 0);
        let load = instance.get_typed_func::<(i32, i32), i32>(&mut store, "load_chunk")?;
        for (i, (place, length)) in areas(&mut store, &instance, "chunk")?.into_iter().enumerate() {
            memory.write(&mut store, place, &bytes[from..from + length])?;
            from += length;
            if load.call(&mut store, (i as i32, length as i32))? != 0 {
                return Err(format!("{}: chunk {i} is refused", text("name")).into());
            }
        }
    }
    let given = fs::read(folder.join(text("inputs")))?;
    let runs = entry["runs"].as_u64().unwrap_or(0);
    let (mut digest, mut at, mut fuel, mut ns) = (Sha256::new(), 0, 0, 0);
    for _ in 0..runs {
        for &(place, length) in &inputs {
            memory.write(&mut store, place, &given[at..at + length])?;
            at += length;
        }
        let (before, start) = (store.get_fuel()?, Instant::now());
        let status = infer.call(&mut store, ())?;
        ns += start.elapsed().as_nanos() as u64;
        fuel += before - store.get_fuel()?;
        if status != 0 {
            return Err(format!("{}: infer gives {status}", text("name")).into());
        }
        for &(place, length) in &outputs {
            digest.update(&memory.data(&store)[place..place + length]);
        }
    }
    let digest: String = digest.finalize().iter().map(|b| format!("{b:02x}")).collect();
    Ok(json!({ "module": text("module"), "digest": digest, "fuel": fuel / runs, "ns": ns / runs }))
}

fn main() -> Result<()> {
    let args: Vec<String> = env::args().collect();
    let folder = Path::new(&args[1]);
    let mut config = Config::default();
    config.consume_fuel(true);
    let engine = Engine::new(&config);
    let entries: Vec<Value> = serde_json::from_slice(&fs::read(folder.join("corpus.json"))?)?;
    for entry in entries.iter().filter(|e| e["profile"] == args[2].as_str()) {
        println!("{}", run(&engine, folder, entry)?);
    }
    Ok(())
}

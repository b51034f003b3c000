//! Runs the contracts of corpus.json on cosmwasm-vm, as a chain does: its gatekeeper, its meter, an instance a query.
//! cosmwasm-host FOLDER PROFILE. A JSON line a contract: name, digest, fuel in operations (115 CosmWasm gas), ns.
use std::{collections::HashSet, env, error::Error, fs, path::Path, process, time::Instant};

use base64::{engine::general_purpose::STANDARD, Engine};
use cosmwasm_std::{coins, Checksum, Empty};
use cosmwasm_vm::testing::{mock_backend, mock_env, mock_info, MockApi, MockQuerier, MockStorage};
use cosmwasm_vm::{call_instantiate, call_query, Cache, CacheOptions, InstanceOptions, Size};
use serde_json::{json, Value};
use sha2::{Digest, Sha256};

const GAS: InstanceOptions = InstanceOptions { gas_limit: 1 << 60 };
/// CosmWasm gas of an operation.
const OPERATION: u64 = 115;
/// Queries that are no message of the contract: each must be answered by an error, none by a trap.
const BAD: [&str; 6] = ["", "{}", "{\"infer\":{}}", "{\"infer\":{\"inputs\":[]}}", "{\"infer\":{\"inputs\":[\"A\"]}}", "{\"infer\":{\"inputs\":[\""];

type Result<T> = std::result::Result<T, Box<dyn Error>>;
type Chain = Cache<MockApi, MockStorage, MockQuerier>;

/// The answer to a query, the gas that it took, and nanoseconds.
fn ask(chain: &Chain, code: &Checksum, message: &str) -> Result<(std::result::Result<Vec<u8>, String>, u64, u64)> {
    let mut instance = chain.get_instance(code, mock_backend(&[]), GAS)?;
    let (before, start) = (instance.get_gas_left(), Instant::now());
    let answer = call_query(&mut instance, &mock_env(), message.as_bytes())?.into_result();
    let ns = start.elapsed().as_nanos() as u64;
    Ok((answer.map(|b| b.to_vec()), before - instance.get_gas_left(), ns))
}

fn run(chain: &Chain, folder: &Path, entry: &Value) -> Result<Value> {
    let text = |key: &str| entry[key].as_str().unwrap_or_default().to_owned();
    let code = chain.store_code(&fs::read(folder.join(text("module")))?, true, true)?;
    let mut instance = chain.get_instance(&code, mock_backend(&[]), GAS)?;
    let info = mock_info("creator", &coins(1, "earth"));
    call_instantiate::<_, _, _, Empty>(&mut instance, &mock_env(), &info, b"{}")?.into_result()?;
    for bad in BAD {
        if ask(chain, &code, bad)?.0.is_ok() {
            return Err(format!("{}: {bad} is answered", text("name")).into());
        }
    }
    let given = fs::read(folder.join(text("inputs")))?;
    let lengths: Vec<usize> = serde_json::from_value(entry["lengths"].clone())?;
    let runs = entry["runs"].as_u64().unwrap_or(0);
    let (mut digest, mut at, mut fuel, mut ns) = (Sha256::new(), 0, 0, 0);
    for _ in 0..runs {
        let inputs: Vec<String> = lengths.iter().map(|n| {
            at += n;
            STANDARD.encode(&given[at - n..at])
        }).collect();
        let (answer, gas, time) = ask(chain, &code, &json!({ "infer": { "inputs": inputs } }).to_string())?;
        let answer: Value = serde_json::from_slice(&answer?)?;
        for output in answer["outputs"].as_array().ok_or("no outputs")? {
            digest.update(STANDARD.decode(output.as_str().unwrap_or_default())?);
        }
        (fuel, ns) = (fuel + gas / OPERATION, ns + time);
    }
    chain.remove_wasm(&code)?;
    let digest: String = digest.finalize().iter().map(|b| format!("{b:02x}")).collect();
    Ok(json!({ "module": text("module"), "digest": digest, "fuel": fuel / runs, "ns": ns / runs }))
}

fn main() -> Result<()> {
    let args: Vec<String> = env::args().collect();
    let folder = Path::new(&args[1]);
    let home = env::temp_dir().join(format!("cosmwasm-host-{}", process::id()));
    let options = CacheOptions::new(&home, HashSet::new(), Size::mebi(256), Size::mebi(512));
    let chain: Chain = unsafe { Cache::new(options)? };
    let entries: Vec<Value> = serde_json::from_slice(&fs::read(folder.join("corpus.json"))?)?;
    for entry in entries.iter().filter(|e| e["profile"] == args[2].as_str()) {
        println!("{}", run(&chain, folder, entry)?);
    }
    fs::remove_dir_all(home)?;
    Ok(())
}

export default { worker: { format: 'es' } }; // so that a worker may load its chunks on demand

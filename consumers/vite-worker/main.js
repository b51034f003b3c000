const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
worker.onmessage = ({ data }) => {
  document.querySelector('#digest').textContent = data;
  console.log(`digest ${data}`);
};
worker.onerror = (e) => console.error(`the worker failed: ${e.message}`);

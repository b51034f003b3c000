const { join } = require('node:path');

module.exports = {
  mode: 'production',
  target: 'web',
  entry: './main.mjs',
  output: { path: join(__dirname, 'public'), filename: 'bundle.js' },
};

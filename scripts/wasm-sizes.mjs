// wasm-sizes.mjs packs what scripts/wasm.sh built as a web server hands it out
// (engine.wasm.br, engine.wasm.gz) and writes sizes.json: bytes as they are, by
// Brotli and by gzip.
import fs from 'node:fs';
import path from 'node:path';
import zlib from 'node:zlib';

const folder = process.argv[2];
const file = path.join(folder, 'engine.wasm');
const program = fs.readFileSync(file);
const { BROTLI_PARAM_QUALITY: quality, BROTLI_PARAM_LGWIN: window, BROTLI_PARAM_SIZE_HINT: hint } = zlib.constants;
const sum = await crypto.subtle.digest('SHA-256', program).then((b) => Buffer.from(b).toString('hex'));
const list = path.join(folder, 'sizes.json');
const known = fs.existsSync(list) ? JSON.parse(fs.readFileSync(list)) : {};
if (known.sha256 !== sum) { // the best compression takes its time
	const br = zlib.brotliCompressSync(program, { params: { [quality]: 11, [window]: 24, [hint]: program.length } });
	const gz = zlib.gzipSync(program, { level: 9 });
	fs.writeFileSync(`${file}.br`, br);
	fs.writeFileSync(`${file}.gz`, gz);
	fs.writeFileSync(list, `${JSON.stringify({ sha256: sum, bytes: program.length, brotli: br.length, gzip: gz.length })}\n`);
}
console.log(fs.readFileSync(list, 'utf8').trim());

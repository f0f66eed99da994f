// A Worker that runs a Go test program, and posts what it prints and its exit code.
import './wasm_exec.js';

let printed = '';
const text = new TextDecoder();
globalThis.fs.writeSync = (_, bytes) => {
	printed += text.decode(bytes, { stream: true });
	return bytes.length;
};
const go = new globalThis.Go();
go.argv = ['tests', '-test.v'];
go.exit = (code) => self.postMessage({ code, printed });
const { instance } = await WebAssembly.instantiateStreaming(fetch('tests.wasm'), go.importObject);
await go.run(instance);

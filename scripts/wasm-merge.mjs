// wasm-merge.mjs joins the data of a WebAssembly program in a few pieces.
//
// Go's linker leaves every run of eight zeros out and so makes 100,000 pieces, each with
// its address before it: fewer bytes as they are, but addresses do not pack, and zeros
// do. By Brotli the program loses a twelfth. What is in the memory at its start stays the
// same: that is compared before anything is written.
import fs from 'node:fs';

const near = 1024; // zeros between two pieces that are joined
const data = 11; // the section's number

// unsigned reads a LEB128 number and gives where it ends.
function unsigned(b, at) {
	for (let n = 0, by = 1; ; by *= 128) {
		const c = b[at++];
		n += (c & 127) * by;
		if (c < 128) return [n, at];
	}
}

// write is a number in LEB128; one that is read with its sign wants the highest bit free.
function write(n, signed = false) {
	const out = [];
	for (; n >= (signed ? 64 : 128); n = Math.floor(n / 128)) out.push(n % 128 | 128);
	return Buffer.from([...out, n]);
}

// sections are the parts of a program: number, where it begins, its content.
function* sections(b) {
	for (let at = 8; at < b.length;) {
		const [length, from] = unsigned(b, at + 1);
		yield { number: b[at], begin: at, end: from + length, content: b.subarray(from, from + length) };
		at = from + length;
	}
}

// pieces are what is put in memory, each a constant address and bytes; other kinds of
// pieces are none that Go's linker makes.
function pieces(content) {
	let [count, at] = unsigned(content, 0);
	const list = [];
	for (; count > 0; count--) {
		if (content[at] !== 0 || content[at + 1] !== 0x41) throw new Error('a piece of data of a kind that is not known');
		const [address, code] = unsigned(content, at + 2);
		if (content[code] !== 0x0b) throw new Error('a piece of data at an address that is not known');
		const [length, from] = unsigned(content, code + 1);
		list.push({ address, bytes: content.subarray(from, from + length) });
		at = from + length;
	}
	return list;
}

// image is the memory as the pieces make it.
function image(list) {
	const all = Buffer.alloc(Math.max(...list.map((p) => p.address + p.bytes.length)));
	for (const p of list) p.bytes.copy(all, p.address);
	return all;
}

// joined covers the same memory with fewer pieces.
function joined(list) {
	const all = image(list), out = [];
	for (const p of [...list].sort((a, b) => a.address - b.address)) {
		const last = out.at(-1), end = p.address + p.bytes.length;
		if (last && p.address - last.end < near) last.end = Math.max(last.end, end);
		else out.push({ address: p.address, end });
	}
	return out.map(({ address, end }) => ({ address, bytes: all.subarray(address, end) }));
}

function section(list) {
	const parts = list.flatMap((p) => [Buffer.from([0, 0x41]), write(p.address, true), Buffer.from([0x0b]), write(p.bytes.length), p.bytes]);
	const content = Buffer.concat([write(list.length), ...parts]);
	return Buffer.concat([Buffer.from([data]), write(content.length), content]);
}

function merge(program) {
	const found = [...sections(program)].find((s) => s.number === data);
	const before = pieces(found.content);
	const out = Buffer.concat([program.subarray(0, found.begin), section(joined(before)), program.subarray(found.end)]);
	const after = pieces([...sections(out)].find((s) => s.number === data).content);
	if (!image(before).equals(image(after)) || !WebAssembly.validate(out)) throw new Error('the program would not be the same');
	return out;
}

const [from, to] = process.argv.slice(2);
fs.writeFileSync(to, merge(fs.readFileSync(from)));

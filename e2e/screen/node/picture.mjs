// Pictures that stories send: a sky, a sun and a hill, in colours of their own.

import zlib from 'node:zlib';

/** picture is a PNG. Noise makes it as large as a photo. */
export function picture(width, height, [sky, sun, hill] = ['#8fb8d8', '#f2b94b', '#3d6b4f'], noise = 0) {
	const rgb = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
	const [above, disc, below] = [sky, sun, hill].map(rgb);
	const rows = Buffer.alloc((width * 3 + 1) * height);
	let seed = 1;
	for (let y = 0, at = 0; y < height; y++) {
		rows[at++] = 0; // no filter
		for (let x = 0; x < width; x++) {
			const ground = y > height * (0.72 - 0.12 * Math.sin((x / width) * Math.PI));
			const round = Math.hypot(x - width * 0.7, y - height * 0.3) < Math.min(width, height) * 0.14;
			for (const c of ground ? below : round ? disc : above) {
				seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
				rows[at++] = Math.max(0, Math.min(255, c + (noise ? (seed >> 16) % noise : 0)));
			}
		}
	}
	const head = Buffer.alloc(13);
	head.writeUInt32BE(width, 0);
	head.writeUInt32BE(height, 4);
	head.set([8, 2, 0, 0, 0], 8);
	return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), chunk('IHDR', head), chunk('IDAT', zlib.deflateSync(rows)), chunk('IEND', Buffer.alloc(0))]);
}

function chunk(name, data) {
	const body = Buffer.concat([Buffer.from(name, 'latin1'), data]);
	const out = Buffer.alloc(body.length + 8);
	out.writeUInt32BE(data.length, 0);
	body.copy(out, 4);
	out.writeUInt32BE(zlib.crc32?.(body) ?? crc(body), body.length + 4);
	return out;
}

function crc(bytes) {
	let c = ~0;
	for (const b of bytes) {
		c ^= b;
		for (let i = 0; i < 8; i++) c = (c >>> 1) ^ (c & 1 ? 0xedb88320 : 0);
	}
	return ~c >>> 0;
}

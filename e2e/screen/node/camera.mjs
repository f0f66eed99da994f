// A camera that is made up: what one person's screen shows as a square is what the others'
// camera sees, by a film that Chromium reads whenever a camera is switched on.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { encode } from '../../../web/node_modules/uqr/dist/index.mjs';

const film = path.join(os.tmpdir(), 'camera.y4m');
const [width, height] = [640, 480];
const [black, grey, white] = [16, 128, 235];

/** args are for the browser of a story with a camera. */
export const args = ['--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream', `--use-file-for-fake-video-capture=${film}`];

/** lens is what a person needs who scans. */
export const lens = { permissions: ['camera', 'clipboard-read', 'clipboard-write'] };

function take(luma) {
	const frame = Buffer.alloc((width * height * 3) / 2, 128);
	for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) frame[y * width + x] = luma(x, y);
	const shot = Buffer.concat([Buffer.from('FRAME\n'), frame]);
	fs.writeFileSync(film, Buffer.concat([Buffer.from(`YUV4MPEG2 W${width} H${height} F10:1 Ip A1:1 C420jpeg\n`), shot, shot]));
}
take(() => grey);

/** points has every camera that is switched on from now on see the square on a person's screen. */
export async function points(p) {
	const square = p.page.locator('svg[role=img]:has(path)').first();
	await square.waitFor();
	const [drawn, box] = await square.evaluate((s) => [s.querySelector('path').getAttribute('d'), s.getAttribute('viewBox')]);
	const dark = new Set([...drawn.matchAll(/M(\d+) (\d+)h1/g)].map((m) => `${m[1]} ${m[2]}`));
	draws(Number(box.split(' ')[2]), (x, y) => dark.has(`${x} ${y}`));
}

/** sees has it see a square that says something, which nobody's screen shows. */
export function sees(text) {
	const { size, data } = encode(text, { ecc: 'L', border: 2 });
	draws(size, (x, y) => Boolean(data[y]?.[x]));
}

function draws(size, dark) {
	const scale = Math.floor(440 / size);
	const [left, top] = [(width - size * scale) >> 1, (height - size * scale) >> 1];
	take((x, y) => (dark(Math.floor((x - left) / scale), Math.floor((y - top) / scale)) ? black : white));
}

/** away has the camera see nothing. */
export const away = () => take(() => grey);

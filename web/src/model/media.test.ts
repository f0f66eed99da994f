import { expect, test } from 'vitest';
import { kindOf, lasts, measured, safeName, seen, sized, timed, typeOf } from './media';

const bytes = (...parts: (string | number[])[]) => {
	const all = parts.flatMap((p) => (typeof p === 'string' ? [...p].map((c) => c.charCodeAt(0)) : p));
	return Uint8Array.from([...all, ...new Array<number>(16).fill(0)].slice(0, 16));
};

test('what could run is a document, whatever it calls itself', () => {
	for (const [name, type] of [['a.svg', 'image/svg+xml'], ['a.html', ''], ['a.jpg', 'text/html'], ['a.xml', 'application/xml'], ['a.pdf', ''], ['a.svgz', ''], ['a.png', 'image/svg+xml; charset=utf-8'], ['noname', undefined]] as const) {
		expect(kindOf({ name, type }), `${name} ${type}`).toBe('document');
	}
});

test('a picture, a film and a voice are told by type, or else by their ending', () => {
	expect(kindOf({ name: 'x', type: 'IMAGE/PNG' })).toBe('image');
	expect(kindOf({ name: 'photo.JPG' })).toBe('image');
	expect(kindOf({ name: 'a.mp4', type: 'application/octet-stream' })).toBe('video');
	expect(typeOf({ name: 'voice-3s.weba', type: 'audio/webm;codecs=opus' })).toBe('audio/webm');
	expect(kindOf({ name: 'voice.ogg' })).toBe('audio');
});

test('a file is drawn by its first bytes, and not at all if they are of something else', () => {
	expect(seen(bytes([0xff, 0xd8, 0xff, 0xe0]), 'image', 'image/png')).toBe('image/jpeg');
	expect(seen(bytes('\x89PNG\r\n'), 'image', 'image/jpeg')).toBe('image/png');
	expect(seen(bytes('RIFF', [0, 0, 0, 0], 'WEBP'), 'image', 'image/webp')).toBe('image/webp');
	expect(seen(bytes('<svg xmlns='), 'image', 'image/png')).toBe('');
	expect(seen(bytes('<!doctype html>'), 'video', 'video/mp4')).toBe('');
	expect(seen(bytes([0, 0, 0, 24], 'ftypmp42'), 'video', 'video/mp4')).toBe('video/mp4');
	expect(seen(bytes('OggS'), 'audio', 'audio/ogg')).toBe('audio/ogg');
	expect(seen(bytes([0, 0, 0, 24], 'ftypmp42'), 'image', 'image/png')).toBe('');
});

test('a name to save by leads nowhere, hides nothing and turns nothing', () => {
	expect(safeName('../../etc/passwd')).toBe('_.._etc_passwd');
	expect(safeName('C:\\x\\evil.exe')).toBe('C__x_evil.exe');
	expect(safeName('photo\u202Egpj.exe')).toBe('photogpj.exe');
	expect(safeName('.bashrc')).toBe('bashrc');
	expect(safeName('a\nb\u0000.txt')).toBe('a b .txt');
	expect(safeName('..')).toBe('file');
	expect(safeName(`${'ا'.repeat(300)}.pdf`)).toHaveLength(120);
	expect(safeName(`${'ا'.repeat(300)}.pdf`)).toMatch(/\.pdf$/);
});

test('what the name says of a picture is read again, and what was sent with it comes first', () => {
	const name = 'photo-1600x1200.jpg';
	expect(measured({ name, state: 'remote' })).toEqual({ width: 1600, height: 1200 });
	expect(measured({ name, state: 'remote', width: 8, height: 4 })).toEqual({ width: 8, height: 4 });
	expect(measured({ name: 'IMG_2026.jpg', state: 'remote' })).toBeUndefined();
	expect(measured({ name: 'x-0x0.jpg', state: 'remote' })).toBeUndefined();
	const film = 'video-640x360-12s.mp4';
	expect([measured({ name: film, state: 'here' })?.width, lasts({ name: film, state: 'here' })]).toEqual([640, 12]);
	expect(lasts({ name: 'voice-3s.ogg', state: 'here', duration: 3400 })).toBe(3.4);
});

test('sizes and times are in the digits that were chosen', () => {
	expect(sized(20_000_000, 'en-u-nu-latn')).toBe('20 MB');
	expect(sized(72, 'en-u-nu-latn')).toBe('1 kB');
	expect(sized(999_900, 'en-u-nu-latn')).toBe('1 MB');
	expect(timed(63.9, 'en-u-nu-latn')).toBe('1:03');
	expect(timed(5, 'ar-u-nu-arab')).toBe('٠:٠٥');
});

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { troubleOf } from './recorder.svelte';
import { filled, levels, packed, steps, unpacked } from './waveform';

test('a waveform comes back as it was sent, within 256 steps', () => {
	const sent = steps([0, 10, 255, 3], 48);
	expect(unpacked(packed(sent))).toEqual(sent);
	expect(steps([1, 9, 2, 8], 2)).toEqual([9, 8]);
	expect(steps([])).toEqual([]);
	expect(unpacked('not base64!')).toEqual([]);
});

test('a quiet voice is drawn as large as a loud one, and silence stays low', () => {
	expect(filled([0.1, 0.2])).toEqual([128, 255]);
	expect(Math.max(...filled([0, 0.001]))).toBeLessThan(20);
	const samples = Float32Array.from({ length: 4800 }, (_, i) => (i < 2400 ? 0 : 0.5));
	expect(levels(samples, 2)).toEqual([0, 255]);
});

test('that there is no microphone is told from one that is refused', () => {
	expect(troubleOf(new DOMException('', 'NotAllowedError'))).toBe('refused');
	expect(troubleOf(new DOMException('', 'NotFoundError'))).toBe('missing');
	expect(troubleOf(new DOMException('', 'NotReadableError'))).toBe('failed');
});

// decided once: as a clock's hands, sound runs one way in every language
test('controls and waveforms run from left to right', () => {
	const text = (name: string) => readFileSync(`src/features/voice/${name}.svelte`, 'utf8');
	expect(text('Voice')).toContain('class="voice" dir="ltr"');
	expect(text('Speak')).toContain('class="bars" dir="ltr"');
	expect(text('Bar')).toContain('class="way" dir="ltr"');
	for (const name of ['Voice', 'Speak', 'Bar', 'Bars']) expect(text(name)).not.toMatch(/scaleX\(-1\)|:dir\(rtl\)/);
});

// How loud a recording is, in steps that are drawn as bars: 0–255.

export const bars = 48;

/** steps is so many levels from however many there are, the loudest of each stretch. */
export function steps(levels: ArrayLike<number>, count = bars): number[] {
	if (levels.length === 0) return [];
	return Array.from({ length: count }, (_, i) => {
		const from = Math.floor((i * levels.length) / count);
		const to = Math.max(from + 1, Math.floor(((i + 1) * levels.length) / count));
		let most = 0;
		for (let j = from; j < to && j < levels.length; j++) most = Math.max(most, levels[j]!);
		return most;
	});
}

/** levels is what samples between -1 and 1 are in steps, made as large as there is room. */
export function levels(samples: Float32Array, count = bars): number[] {
	const loud = Array.from({ length: count }, (_, i) => {
		const from = Math.floor((i * samples.length) / count);
		const to = Math.floor(((i + 1) * samples.length) / count);
		const skip = Math.max(1, Math.floor((to - from) / 400));
		let sum = 0;
		let n = 0;
		for (let j = from; j < to; j += skip, n++) sum += samples[j]! ** 2;
		return n ? Math.sqrt(sum / n) : 0;
	});
	return filled(loud);
}

/** filled is levels from 0 to 255, the loudest of them 255. */
export function filled(loud: readonly number[]): number[] {
	const most = Math.max(...loud, 0.02); // silence stays low
	return loud.map((v) => Math.round((255 * v) / most));
}

/** packed is steps as the engine takes them, unpacked the way back. */
export const packed = (all: readonly number[]): string => btoa(String.fromCharCode(...all));
export function unpacked(text: string | undefined): number[] {
	try {
		return steps(Uint8Array.from(atob(text ?? ''), (c) => c.charCodeAt(0)));
	} catch {
		return [];
	}
}

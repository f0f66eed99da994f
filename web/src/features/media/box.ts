// How large a picture stands in a bubble, known before it is here.

const most = { width: 320, height: 360 };
const least = { width: 140, height: 96 };
const usual = { width: 280, height: 210 }; // of one whose size nobody said

/** unasked is the largest picture that is fetched without being asked for, in bytes. */
export const unasked = 5_000_000;

export function boxed(size: { width: number; height: number } | undefined): { width: number; height: number } {
	if (!size) return usual;
	const scale = Math.min(most.width / size.width, most.height / size.height, 1);
	const clamp = (v: number, low: number, high: number) => Math.round(Math.max(low, Math.min(high, v)));
	return { width: clamp(size.width * scale, least.width, most.width), height: clamp(size.height * scale, least.height, most.height) };
}

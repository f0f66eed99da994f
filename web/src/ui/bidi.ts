// Names are others' words inside our sentences: what would turn the direction of what
// follows is taken out, and so is what is not to be seen.

// overrides, embeddings, isolates and marks; controls; what takes no room
const turning = /[\u202A-\u202E\u2066-\u2069\u200E\u200F\u061C]/gu;
const unseen = /[\p{Cc}\u00AD\u034F\u115F\u1160\u17B4\u17B5\u180B-\u180E\u200B\u2060-\u2064\u206A-\u206F\u2800\u3164\uFEFF\uFFA0\uFFF9-\uFFFB\u{E0000}-\u{E007F}]/gu;
// marks on marks, which paint over what stands above and below; no language needs more
const stacked = /(\p{M}{4})\p{M}+/gu;

/** plain is a name without what could pretend to be another one. */
export function plain(name: string): string {
	return name.replace(turning, '').replace(unseen, ' ').replace(stacked, '$1').replace(/\s+/g, ' ').trim();
}

/** line is what was written, in one line that turns nothing of what stands around it. */
export function line(text: string): string {
	return text.replace(turning, '').replace(stacked, '$1').replace(/\s+/g, ' ').trim();
}

/** isolated is a name for the middle of a sentence where there can be no <bdi>: it does not touch the direction of what is around it. */
export const isolated = (name: string): string => `\u2068${name}\u2069`;

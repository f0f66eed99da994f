// Names are others' words inside our sentences: what would turn the direction of what
// follows is taken out, and so is what is not to be seen.

// overrides, embeddings, isolates and marks; controls; what takes no room
const turning = /[\u202A-\u202E\u2066-\u2069\u200E\u200F\u061C]/gu;
const unseen = /[\p{Cc}\u200B\u2060-\u2064\uFEFF\u{E0000}-\u{E007F}]/gu;

/** plain is a name without what could pretend to be another one. */
export function plain(name: string): string {
	return name.replace(turning, '').replace(unseen, ' ').replace(/\s+/g, ' ').trim();
}

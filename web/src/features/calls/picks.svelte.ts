// Which microphone, camera and speaker there are, and which is wanted. That is kept in this
// browser.

import type { Chosen } from './capture.svelte';

export type Sort = 'audioinput' | 'videoinput' | 'audiooutput';
type Kept = { [S in Sort]?: string };

const key = 'mirsal call devices';

export class Picks {
	list = $state.raw<readonly MediaDeviceInfo[]>([]);
	#kept = $state.raw<Kept>(read());
	#media: MediaDevices | undefined;

	constructor(media: MediaDevices | undefined = navigator.mediaDevices) {
		this.#media = media;
	}

	/** chosen is the one that is wanted, '' whichever */
	readonly chosen: Chosen & ((kind: Sort) => string) = (kind: Sort) => this.#kept[kind] ?? '';

	/** of are those of a sort that have a name; they have one once something was opened. */
	of(kind: Sort): readonly MediaDeviceInfo[] {
		return this.list.filter((d) => d.kind === kind && d.deviceId && d.label);
	}

	/** used is the one that is in use: what was chosen may be unplugged. */
	used(kind: Sort, track?: MediaStreamTrack): string {
		const id = track?.getSettings().deviceId ?? this.chosen(kind);
		const all = this.of(kind);
		return (all.find((d) => d.deviceId === id) ?? all[0])?.deviceId ?? '';
	}

	choose(kind: Sort, id: string) {
		this.#kept = { ...this.#kept, [kind]: id };
		try {
			localStorage.setItem(key, JSON.stringify(this.#kept));
		} catch {
			// it is for this window then
		}
	}

	/** watch keeps the list as it is; the result ends it. */
	watch(): () => void {
		const look = async () => (this.list = (await this.#media?.enumerateDevices().catch(() => [])) ?? []);
		void look();
		this.#media?.addEventListener('devicechange', look);
		return () => this.#media?.removeEventListener('devicechange', look);
	}
}

function read(): Kept {
	try {
		const kept = JSON.parse(localStorage.getItem(key) ?? '{}') as Record<string, unknown>;
		return Object.fromEntries((['audioinput', 'videoinput', 'audiooutput'] as const).flatMap((s) => (typeof kept[s] === 'string' ? [[s, kept[s]]] : [])));
	} catch {
		return {};
	}
}

/** speakers says whether this browser lets one choose where is heard. */
export const speakers = () => typeof HTMLMediaElement !== 'undefined' && 'setSinkId' in HTMLMediaElement.prototype;

// What comes from the other side: their voice, which is heard whatever is looked at, and
// their picture, for whoever draws it.

export class Theirs {
	/** video is their picture while there is one */
	video = $state.raw<MediaStreamTrack | undefined>(undefined);
	/** blocked is that the browser waits for a press before it lets anything be heard */
	blocked = $state(false);
	#sound: HTMLAudioElement | undefined;

	constructor(readonly makes: () => HTMLAudioElement = () => new Audio()) {}

	take(track: MediaStreamTrack, speaker = '') {
		if (track.kind === 'video') return this.#watch(track);
		const sound = (this.#sound ??= this.makes());
		sound.srcObject = new MediaStream([track]);
		void this.through(speaker);
		void this.play();
	}

	async play() {
		this.blocked = false;
		await this.#sound?.play().catch((e: unknown) => (this.blocked = (e as { name?: string }).name === 'NotAllowedError'));
	}

	/** through has it heard by another speaker, '' the usual one. */
	async through(speaker: string) {
		await this.#sound?.setSinkId?.(speaker).catch(() => {});
	}

	close() {
		this.#sound?.pause();
		if (this.#sound) this.#sound.srcObject = null;
		this.#sound = undefined;
		if (this.#seen) this.#seen.onmute = this.#seen.onunmute = this.#seen.onended = null;
		this.#seen = this.video = undefined;
		this.blocked = false;
	}

	#seen: MediaStreamTrack | undefined;

	// there is a place for a picture before there is one, and after they have switched it off
	#watch(track: MediaStreamTrack) {
		this.#seen = track;
		const look = () => (this.video = track.muted || track.readyState === 'ended' ? undefined : track);
		track.onmute = track.onunmute = track.onended = look;
		look();
	}
}

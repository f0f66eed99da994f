// The one player of voices: what plays goes on whatever is looked at.

import { lasts } from '../../model/media';
import type { Files } from '../../model/files.svelte';
import type { Message } from '../../port/types';

export const speeds = [1, 1.5, 2] as const;

export class Player {
	/** message is what plays or waits in the middle, undefined nothing */
	message = $state.raw<Message | undefined>(undefined);
	playing = $state(false);
	/** seconds */
	at = $state(0);
	length = $state(0);
	speed = $state<(typeof speeds)[number]>(1);
	/** what could not be played here */
	unplayed = $state('');
	#sound: HTMLAudioElement | undefined;
	#files: Files | undefined;
	#turn = 0; // of what is asked for last

	start(files: Files) {
		this.#files = files;
		// a film that begins is not talked over
		document.addEventListener('play', (e) => e.target !== this.#sound && this.pause(), { capture: true });
	}

	/** toggle plays a message, or stops it in the middle. */
	async toggle(message: Message) {
		if (this.message?.id !== message.id) return this.#begin(message, 0);
		if (this.playing) return this.pause();
		await this.#go();
	}

	pause() {
		this.#sound?.pause();
	}

	/** seek goes to a second of a message. */
	async seek(message: Message, to: number) {
		if (this.message?.id !== message.id) return this.#begin(message, to);
		this.at = to;
		if (this.#sound) this.#sound.currentTime = to;
	}

	/** faster is the next speed. */
	faster() {
		this.speed = speeds[(speeds.indexOf(this.speed) + 1) % speeds.length]!;
		if (this.#sound) this.#sound.playbackRate = this.speed;
	}

	close() {
		this.#turn++;
		this.pause();
		this.message = undefined;
		this.at = 0;
	}

	async #begin(message: Message, from: number) {
		const turn = ++this.#turn;
		this.pause();
		const url = await this.#files!.address(message);
		if (turn !== this.#turn) return;
		this.unplayed = '';
		if (!url) {
			this.unplayed = message.id;
			return;
		}
		const sound = this.#element();
		this.message = message;
		this.at = from;
		this.length = lasts(message.file!);
		sound.src = url;
		sound.playbackRate = this.speed;
		if (from > 0) sound.currentTime = from;
		await this.#go();
	}

	async #go() {
		await this.#sound?.play().catch(() => {}); // 'error' says what it was
	}

	#element(): HTMLAudioElement {
		if (this.#sound) return this.#sound;
		const sound = (this.#sound = new Audio());
		sound.preservesPitch = true;
		sound.onplay = () => (this.playing = true);
		sound.onpause = () => (this.playing = false);
		sound.ontimeupdate = () => (this.at = sound.currentTime);
		sound.onratechange = () => sound.playbackRate !== this.speed && (sound.playbackRate = this.speed);
		// what a recorder has made says its length only at its end
		sound.ondurationchange = () => Number.isFinite(sound.duration) && (this.length = sound.duration);
		sound.onended = () => this.close();
		sound.onerror = () => {
			this.unplayed = this.message?.id ?? '';
			this.close();
		};
		return sound;
	}
}

export const player = new Player();

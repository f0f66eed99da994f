// What this window takes up: the microphone, and the camera or the screen in its place. It
// is opened when somebody calls or accepts here, and let go when the call is over.

import type { Kind } from './peer';

/** Wrong is why there is no microphone or camera. */
export type Wrong = 'refused' | 'missing' | 'failed';

export function wrongOf(error: unknown): Wrong {
	const name = (error as { name?: string } | undefined)?.name;
	if (name === 'NotAllowedError' || name === 'SecurityError') return 'refused';
	return name === 'NotFoundError' || name === 'OverconstrainedError' ? 'missing' : 'failed';
}

/** Chosen is which device is wanted, '' whichever. */
export type Chosen = (kind: 'audioinput' | 'videoinput') => string;

const exactly = (id: string) => (id ? { deviceId: { ideal: id } } : {});

export class Capture {
	audio = $state.raw<MediaStreamTrack | undefined>(undefined);
	/** video is what is sent as a picture */
	video = $state.raw<MediaStreamTrack | undefined>(undefined);
	shows = $state<'camera' | 'screen' | undefined>(undefined);
	/** why there is no camera although one was wanted */
	blind = $state<Wrong | undefined>(undefined);
	/** ended hears that a track has ended by itself: unplugged, or shared no more */
	ended: (kind: Kind) => void = () => {};
	#turn = 0; // what is opened after close() is let go at once
	#media: MediaDevices | undefined;
	#chosen: Chosen;

	constructor(chosen: Chosen = () => '', media: MediaDevices | undefined = navigator.mediaDevices) {
		this.#chosen = chosen;
		this.#media = media;
	}

	/** open takes the microphone, and the camera if there is one; without a microphone it throws. */
	async open(video: boolean) {
		this.blind = undefined;
		const stream = await this.#get({ audio: this.#sound(), video: video && this.#look() }).catch(async (error) => {
			if (!video) throw error;
			const alone = await this.#get({ audio: this.#sound() });
			this.blind = wrongOf(error);
			return alone;
		});
		if (!stream) return;
		this.#set('audio', stream.getAudioTracks()[0]);
		if (video) this.#picture(stream.getVideoTracks()[0], 'camera');
	}

	/** camera takes the camera, in place of the screen if that is shown. */
	async camera() {
		this.blind = undefined;
		try {
			const stream = await this.#get({ video: this.#look() });
			if (stream) this.#picture(stream.getVideoTracks()[0], 'camera');
		} catch (error) {
			this.blind = wrongOf(error);
		}
	}

	/** screen asks what of the screen is to be shown; false when somebody thinks better of it. */
	async screen(): Promise<boolean> {
		const turn = this.#turn;
		const stream = await this.#media?.getDisplayMedia({ video: { frameRate: { max: 15 } }, audio: false }).catch(() => undefined);
		const track = stream?.getVideoTracks()[0];
		if (!track || turn !== this.#turn) {
			track?.stop();
			return false;
		}
		track.contentHint = 'detail';
		this.#picture(track, 'screen');
		return true;
	}

	/** dark lets the camera, or the screen, go. */
	dark() {
		this.#picture(undefined, undefined);
	}

	/** quiet has the microphone hear nothing, or hear again. */
	quiet(on: boolean) {
		if (this.audio) this.audio.enabled = !on;
	}

	/** again opens one with another device; what was heard or seen before stays where that fails. */
	async again(kind: Kind): Promise<boolean> {
		try {
			const stream = await this.#get(kind === 'audio' ? { audio: this.#sound() } : { video: this.#look() });
			const track = stream?.getTracks()[0];
			if (!track) return false;
			if (kind === 'audio') {
				track.enabled = this.audio?.enabled ?? true;
				this.#set('audio', track);
			} else this.#picture(track, 'camera');
			return true;
		} catch {
			return false;
		}
	}

	close() {
		this.#turn++;
		this.#set('audio', undefined);
		this.dark();
	}

	async #get(what: MediaStreamConstraints): Promise<MediaStream | undefined> {
		const turn = this.#turn;
		if (!this.#media) throw new DOMException('', 'NotFoundError');
		const stream = await this.#media.getUserMedia(what);
		if (turn === this.#turn) return stream;
		stream.getTracks().forEach((t) => t.stop());
		return undefined;
	}

	#sound(): MediaTrackConstraints {
		return { echoCancellation: true, noiseSuppression: true, autoGainControl: true, ...exactly(this.#chosen('audioinput')) };
	}
	#look(): MediaTrackConstraints {
		return { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 }, facingMode: 'user', ...exactly(this.#chosen('videoinput')) };
	}

	#picture(track: MediaStreamTrack | undefined, shows: 'camera' | 'screen' | undefined) {
		this.#set('video', track);
		this.shows = track && shows;
	}

	#set(kind: Kind, track: MediaStreamTrack | undefined) {
		const before = this[kind];
		if (before && before !== track) {
			before.onended = null;
			before.stop();
		}
		if (track) track.onended = () => this.ended(kind);
		this[kind] = track;
	}
}

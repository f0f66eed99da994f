// A recording while it is made.

import { filled, packed, steps } from './waveform';

// the first that the browser makes; what others play comes first
const forms = [
	{ type: 'audio/ogg;codecs=opus', ending: 'ogg' },
	{ type: 'audio/webm;codecs=opus', ending: 'weba' },
	{ type: 'audio/mp4', ending: 'm4a' },
];
const often = 60; // ms between two looks at how loud it is
export const longest = 30 * 60; // seconds
export const shortest = 0.6; // seconds; less was a mistake

export interface Recording {
	blob: Blob;
	type: string;
	ending: string;
	/** seconds */
	length: number;
	/** as the engine takes it */
	waveform: string;
}

export type Trouble = 'refused' | 'missing' | 'failed';

/** troubleOf is why there is no microphone. */
export function troubleOf(error: unknown): Trouble {
	const name = (error as { name?: string } | undefined)?.name;
	if (name === 'NotAllowedError' || name === 'SecurityError') return 'refused';
	return name === 'NotFoundError' || name === 'OverconstrainedError' ? 'missing' : 'failed';
}

export class Recorder {
	state = $state<'idle' | 'asking' | 'recording'>('idle');
	/** seconds */
	length = $state(0);
	/** levels are 0–255, the latest last */
	levels = $state.raw<readonly number[]>([]);
	#loud: number[] = [];
	#made: MediaRecorder | undefined;
	#pieces: Blob[] = [];
	#form = forms[0]!;
	#end: (() => void)[] = [];
	#since = 0;
	#given = false; // up, before there was a microphone

	/** start asks for the microphone; undefined when it records. */
	async start(): Promise<Trouble | undefined> {
		if (this.state !== 'idle') return undefined;
		this.state = 'asking';
		this.#given = false;
		try {
			if (!navigator.mediaDevices) throw new DOMException('', 'NotFoundError');
			const sound = await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true } });
			this.#end.push(() => sound.getTracks().forEach((track) => track.stop()));
			if (this.#given) return this.#over(), undefined;
			this.#record(sound);
			return undefined;
		} catch (error) {
			this.#over();
			return troubleOf(error);
		}
	}

	/** cancel throws it away. */
	cancel() {
		this.#given = true;
		if (this.#made) this.#made.onstop = null;
		if (this.state === 'recording') this.#over();
	}

	/** finish is what was recorded; undefined when that is nothing. */
	finish(): Promise<Recording | undefined> {
		const made = this.#made;
		if (this.state !== 'recording' || !made) {
			this.cancel();
			return Promise.resolve(undefined);
		}
		const length = (performance.now() - this.#since) / 1000;
		const { type, ending } = this.#form;
		const waveform = packed(steps(filled(this.#loud)));
		return new Promise((resolve) => {
			made.onstop = () => {
				const blob = new Blob(this.#pieces, { type: type.split(';')[0]! });
				this.#over();
				resolve(length < shortest || blob.size === 0 ? undefined : { blob, type: blob.type, ending, length, waveform });
			};
			made.stop();
		});
	}

	#record(sound: MediaStream) {
		this.#form = forms.find((f) => MediaRecorder.isTypeSupported(f.type)) ?? forms[2]!;
		const made = new MediaRecorder(sound, { mimeType: this.#form.type, audioBitsPerSecond: 32_000 });
		this.#made = made;
		this.#pieces = [];
		this.#loud = [];
		made.ondataavailable = (e) => e.data.size && this.#pieces.push(e.data);
		made.start(1000);
		this.#since = performance.now();
		this.state = 'recording';
		this.#listen(sound);
	}

	#listen(sound: MediaStream) {
		const context = new AudioContext();
		const ear = context.createAnalyser();
		ear.fftSize = 1024;
		context.createMediaStreamSource(sound).connect(ear);
		const samples = new Float32Array(ear.fftSize);
		const timer = setInterval(() => {
			ear.getFloatTimeDomainData(samples);
			const level = Math.sqrt(samples.reduce((sum, v) => sum + v * v, 0) / samples.length);
			this.#loud.push(level);
			this.levels = [...this.levels, Math.min(255, Math.round(level * 900))].slice(-64);
			this.length = (performance.now() - this.#since) / 1000;
		}, often);
		this.#end.push(() => clearInterval(timer), () => void context.close());
	}

	#over() {
		if (this.#made?.state === 'recording') this.#made.stop();
		for (const end of this.#end.splice(0)) end();
		this.#made = undefined;
		this.#pieces = [];
		this.levels = [];
		this.length = 0;
		this.state = 'idle';
	}
}

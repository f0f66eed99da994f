// The sound of a call, made here: three soft notes while it rings here, one low tone while
// it rings there. Of several windows one is heard.

type Score = readonly (readonly [pitch: number, begins: number, lasts: number])[];

const scores: Record<'here' | 'there', { score: Score; every: number; loud: number }> = {
	here: { score: [[523.25, 0, 0.5], [659.25, 0.22, 0.5], [783.99, 0.44, 0.9]], every: 2600, loud: 0.12 },
	there: { score: [[425, 0, 1]], every: 4000, loud: 0.035 },
};

export class Ringer {
	#stop: AbortController | undefined;

	constructor(readonly makes: () => AudioContext = () => new AudioContext()) {}

	get rings(): boolean {
		return this.#stop !== undefined;
	}

	ring(where: 'here' | 'there') {
		this.stop();
		const stop = (this.#stop = new AbortController());
		const on = () => this.#play(where, stop.signal);
		if (where === 'there' || !navigator.locks) return void on();
		navigator.locks.request('mirsal rings', { signal: stop.signal }, on).catch(() => {});
	}

	stop() {
		this.#stop?.abort();
		this.#stop = undefined;
	}

	// it ends with its signal
	#play(where: 'here' | 'there', signal: AbortSignal): Promise<void> {
		if (signal.aborted) return Promise.resolve();
		const context = this.makes();
		const { score, every, loud } = scores[where];
		const once = () => {
			if (context.state === 'suspended') void context.resume().catch(() => {}); // browsers are silent before a press
			if (context.state === 'running') for (const [pitch, begins, lasts] of score) note(context, pitch, context.currentTime + 0.02 + begins, lasts, loud);
		};
		once();
		const timer = setInterval(once, every);
		context.onstatechange = () => context.state === 'running' && once();
		return new Promise((end) =>
			signal.addEventListener('abort', () => {
				clearInterval(timer);
				context.onstatechange = null;
				void context.close().catch(() => {});
				end();
			}),
		);
	}
}

function note(context: AudioContext, pitch: number, at: number, lasts: number, loud: number) {
	const [tone, level] = [context.createOscillator(), context.createGain()];
	tone.type = 'sine';
	tone.frequency.value = pitch;
	level.gain.setValueAtTime(0, at);
	level.gain.linearRampToValueAtTime(loud, at + 0.04);
	level.gain.setValueAtTime(loud, at + lasts * 0.5);
	level.gain.linearRampToValueAtTime(0, at + lasts);
	tone.connect(level).connect(context.destination);
	tone.start(at);
	tone.stop(at + lasts);
}

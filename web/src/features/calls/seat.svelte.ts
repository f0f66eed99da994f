// The seat of this window in a call: it does what the engine's callMedia says, in order, and
// nothing before (docs/protocol/engine.md). Whatever it has opened is let go at "close".

import type { Engine } from '../../port/engine';
import type { CallMedia } from '../../port/types';
import { Capture } from './capture.svelte';
import { Network } from './network';
import { makes, Peer, type Makes, type Tracks } from './peer';
import { Picks, type Sort } from './picks.svelte';
import { Quality } from './quality.svelte';
import { Theirs } from './theirs.svelte';

export interface Parts {
	make: Makes;
	picks: Picks;
	capture: Capture;
	theirs: Theirs;
}

const parts = (picks = new Picks()): Parts => ({ make: makes, picks, capture: new Capture(picks.chosen), theirs: new Theirs() });

export class Seat {
	/** state is that of the connection */
	state = $state<RTCPeerConnectionState>('new');
	/** seen says that there is a place for pictures in this call */
	seen = $state(false);
	readonly picks: Picks;
	readonly capture: Capture;
	readonly theirs: Theirs;
	readonly quality = new Quality();
	/** failed hears why the call cannot be here */
	failed: (call: string, error: unknown) => void = () => {};
	#engine: Engine;
	#id: string;
	#make: Makes;
	#call = '';
	#peer: Peer | undefined;
	#line: Promise<void> = Promise.resolve(); // one thing after the other
	#network: Network;

	constructor(engine: Engine, id: string, { make, picks, capture, theirs } = parts()) {
		[this.#engine, this.#id, this.#make] = [engine, id, make];
		[this.picks, this.capture, this.theirs] = [picks, capture, theirs];
		capture.ended = (kind) => kind === 'video' && this.#over();
		this.#network = new Network(
			() => this.#call && void engine.do({ do: 'callNetwork', call: this.#call }),
			() => this.#fail(this.#call, new Error('no way')),
		);
		engine.on('callMedia', (event) => event.seat === this.#id && this.#hear(event));
	}

	/** now waits until all that was said is done. */
	now(): Promise<void> {
		return this.#line;
	}

	#hear(event: CallMedia) {
		if (event.do === 'close') return this.#close(event.call); // whatever is waited for
		if (event.do === 'open') {
			this.#close(this.#call);
			this.#call = event.call;
		}
		this.#line = this.#line.then(() => (event.call === this.#call ? this.#does(event) : undefined)).catch((error) => this.#fail(event.call, error));
	}

	async #does(event: CallMedia) {
		switch (event.do) {
			case 'open':
				return this.capture.open(event.video ?? false);
			case 'create':
				return this.#create(event);
			case 'offer':
				return this.#describe(event.call, (peer) => peer.offer(this.#tracks(), event.restart));
			case 'answer':
				return this.#describe(event.call, (peer) => peer.answer(this.#tracks()));
			case 'remote':
				await this.#peer?.remote(event.type === 'answer' ? 'answer' : 'offer', event.sdp ?? '');
				return this.#look();
			case 'address':
				return this.#peer?.address(event.mid ?? '', event.candidate ?? '');
			case 'camera':
				// what is shown already, the screen, is what was to be added
				return this.capture.video ? undefined : this.capture.camera();
			case 'mute':
				this.capture.quiet(event.audio ?? false);
				if (event.video) await this.dark();
		}
	}

	#tracks = (): Tracks => ({ audio: this.capture.audio, video: this.capture.video });

	#create({ call, servers, relayOnly }: CallMedia) {
		this.#peer?.close();
		this.#peer = new Peer(this.#make, (servers ?? []) as RTCIceServer[], relayOnly ?? false, {
			address: (mid, candidate) => void this.#engine.do({ do: 'callAddress', call, mid, candidate }),
			state: (state) => this.#is(call, state),
			track: (track) => this.theirs.take(track, this.picks.chosen('audiooutput')),
		});
		this.#network.watch();
	}

	async #describe(call: string, how: (peer: Peer) => Promise<string>) {
		const peer = this.#peer;
		if (!peer) throw new Error('there is no connection');
		const sdp = await how(peer);
		if (call !== this.#call) return;
		this.#look();
		await this.#engine.do({ do: 'callDescribed', call, sdp });
		peer.told();
	}

	#look() {
		this.seen = this.#peer?.has('video') ?? false;
	}

	#is(call: string, state: RTCPeerConnectionState) {
		if (call !== this.#call || !this.#peer) return;
		this.state = state;
		this.#network.is(state);
		if (state !== 'connected') return;
		this.quality.watch(this.#peer);
		void this.#engine.do({ do: 'callConnected', call });
	}

	#fail(call: string, error: unknown) {
		if (!call || call !== this.#call) return;
		this.failed(call, error);
		void this.#engine.do({ do: 'callFailed', call, text: error instanceof Error ? `${error.name}: ${error.message}`.slice(0, 200) : '' });
	}

	/** light opens the camera where there is a place for it; false where the call has none yet. */
	async light(): Promise<boolean> {
		if (!this.seen) return false;
		await this.capture.camera();
		await this.#peer?.send('video', this.capture.video);
		return true;
	}

	async dark() {
		this.capture.dark();
		await this.#peer?.send('video', undefined);
	}

	/** share has a screen chosen: 'place' when it is shown, 'add' when the call has no place for it yet, '' when none was chosen. */
	async share(): Promise<'place' | 'add' | ''> {
		if (!(await this.capture.screen())) return '';
		if (!this.seen) return 'add';
		await this.#peer?.send('video', this.capture.video);
		return 'place';
	}

	/** choose is for another microphone, camera or speaker. */
	async choose(sort: Sort, id: string) {
		this.picks.choose(sort, id);
		if (sort === 'audiooutput') return this.theirs.through(id);
		const kind = sort === 'audioinput' ? 'audio' : 'video';
		if (kind === 'video' && this.capture.shows !== 'camera') return;
		if (await this.capture.again(kind)) await this.#peer?.send(kind, this.capture[kind]);
	}

	/** darkened hears that the picture has ended by itself. */
	darkened: () => void = () => {};
	#over() {
		void this.dark();
		this.darkened();
	}

	/** over lets go of what a call has opened, if it has. */
	over(call: string) {
		this.#close(call);
	}

	#close(call: string) {
		if (!call || call !== this.#call) return;
		this.#call = '';
		this.#network.close();
		this.quality.close();
		this.#peer?.close();
		this.#peer = undefined;
		this.capture.close();
		this.theirs.close();
		this.state = 'new';
		this.seen = false;
	}
}

import { scriptAddress } from '../../port/engine';

const often = 60 * 60_000; // ms between two looks for a release

/** An Update keeps the release that is here, and tells of another one that is ready. */
export class Update {
	waits = $state(false);
	#registration: ServiceWorkerRegistration | undefined;
	#taken = false;
	#behind = false; // another window has taken it while this one was busy: it begins anew when the person wishes

	constructor(
		private readonly workers: ServiceWorkerContainer | undefined = navigator.serviceWorker,
		private readonly reload = () => location.reload(),
	) {}

	async keep(busy = () => false) {
		const registration = await this.workers?.register(scriptAddress('/sw.js'), { updateViaCache: 'none' }).catch(() => undefined);
		if (!registration) return; // a private window has none
		this.#registration = registration;
		this.#look();
		registration.addEventListener('updatefound', () => registration.installing?.addEventListener('statechange', () => this.#look()));
		let before = this.workers!.controller;
		this.workers!.addEventListener('controllerchange', () => {
			const another = this.#taken || Boolean(before); // the first of all only takes over what it came with
			before = this.workers!.controller;
			if (another && (this.#taken || !busy())) return this.reload();
			this.#behind ||= another;
			this.#look();
		});
		setInterval(() => void registration.update().catch(() => {}), often);
	}

	/** take has the new release take over, and the page begin anew with it. */
	take() {
		this.#taken = true;
		const waiting = this.#registration?.waiting;
		if (waiting) waiting.postMessage('take over');
		else this.reload();
	}

	// the first release of all is nothing new
	#look() {
		this.waits = this.#behind || Boolean(this.#registration?.waiting && this.workers?.controller);
	}
}

export const update = new Update();

import { scriptAddress } from '../../port/engine';

const often = 60 * 60_000; // ms between two looks for a release

/** An Update keeps the release that is here, and tells of another one that is ready. */
export class Update {
	waits = $state(false);
	#registration: ServiceWorkerRegistration | undefined;
	#taken = false;

	constructor(
		private readonly workers: ServiceWorkerContainer | undefined = navigator.serviceWorker,
		private readonly reload = () => location.reload(),
	) {}

	async keep() {
		const registration = await this.workers?.register(scriptAddress('/sw.js'), { updateViaCache: 'none' }).catch(() => undefined);
		if (!registration) return; // a private window has none
		this.#registration = registration;
		this.#look();
		registration.addEventListener('updatefound', () => registration.installing?.addEventListener('statechange', () => this.#look()));
		this.workers!.addEventListener('controllerchange', () => this.#taken && this.reload());
		setInterval(() => void registration.update().catch(() => {}), often);
	}

	/** take has the new release take over, and the page begin anew with it. */
	take() {
		this.#taken = true;
		this.#registration?.waiting?.postMessage('take over');
	}

	// the first release of all is nothing new
	#look() {
		this.waits = Boolean(this.#registration?.waiting && this.workers?.controller);
	}
}

export const update = new Update();

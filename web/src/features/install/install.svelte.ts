import type { Settings } from '../../model/settings.svelte';

/** An Offer is the browser's, to install this page as an app. */
interface Offer extends Event {
	prompt(): Promise<{ outcome: 'accepted' | 'dismissed' }>;
}

class Install {
	offer = $state.raw<Offer>();

	start(settings: Settings) {
		addEventListener('beforeinstallprompt', (e) => {
			e.preventDefault(); // the browser's own banner would come at any moment
			this.offer = e as Offer;
		});
		addEventListener('appinstalled', () => (this.offer = undefined));
		$effect.root(() => {
			$effect(() => {
				const link = document.querySelector<HTMLLinkElement>('link[rel=manifest]');
				if (link) link.href = settings.locale === 'ar' ? '/manifest.ar.webmanifest' : '/manifest.webmanifest';
			});
		});
	}

	async install() {
		const offer = this.offer;
		this.offer = undefined; // it is good once
		await offer?.prompt();
	}
}

export const install = new Install();

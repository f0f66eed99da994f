// Being told of messages while nobody looks: only when somebody has asked for it, by name
// alone unless more is wanted, once over several windows, not while one of them is looked
// at, and no longer than it is unread; a notification leads into its chat.

import { desktop, met, patience, phone, same } from '../stage.mjs';

export default async function notify(stage) {
	const alice = await stage.person('alice', desktop, { permissions: ['notifications'] });
	const bob = await stage.person('bob', phone);
	await alice.context.addInitScript(() => {
		if (location.protocol === 'about:') return;
		globalThis.told = [];
		const show = ServiceWorkerRegistration.prototype.showNotification;
		ServiceWorkerRegistration.prototype.showNotification = function (title, options) {
			globalThis.told.push([title, options.body]);
			return show.call(this, title, options);
		};
	});
	await met(alice, bob, 'hello bob');
	await alice.page.evaluate(async () => void (await navigator.serviceWorker.ready));
	await alice.place('');

	await unasked(alice, bob);
	await chosen(stage, alice);
	await named(alice, bob);
	await overSeveral(stage, alice, bob);
	await ledIn(alice, bob);
}

// A browser that is driven says that each window is looked at: these say it by themselves.
const looks = (page, on) => page.evaluate((on) => {
	document.hasFocus = () => on;
	dispatchEvent(new Event(on ? 'focus' : 'blur'));
}, on);

// unseen waits until no window is looked at, as the windows themselves know it.
const unseen = (page) => page.evaluate(async () => {
	while ((await navigator.locks.query()).held.some((l) => l.name === 'mirsal looked at'));
});

const shown = (page) => page.evaluate(async () => {
	const all = (await (await navigator.serviceWorker.getRegistration()).getNotifications()) ?? [];
	return all.map((n) => [n.title, n.body]);
});

// shows waits until there are these and no others; a condition of a page's that is a promise is not waited for.
async function shows(page, ...want) {
	const by = Date.now() + patience;
	for (let got; ; ) {
		got = JSON.stringify(await shown(page));
		if (got === JSON.stringify(want)) return;
		if (Date.now() > by) throw new Error(`the notifications are ${got}, not ${JSON.stringify(want)}`);
	}
}

const told = (page) => page.evaluate(() => globalThis.told);

async function counted(page, n) {
	await page.waitForFunction((begins) => (begins ? document.title.startsWith(begins) : !document.title.startsWith('(')), n ? `(${n}) ` : '');
}

async function unasked(alice, bob) {
	await looks(alice.page, false);
	await bob.writes('nobody asked to be told of this');
	await counted(alice.page, 1);
	await looks(alice.page, true);
	await alice.opens(bob);
	await counted(alice.page, 0);
	same(await told(alice.page), [], 'what alice was told of before she wanted it');
	await alice.place('');
}

async function chosen(stage, alice) {
	await alice.button('menu').first().click();
	await alice.page.getByRole('menuitem', { name: alice.say('settings_title') }).click();
	await alice.page.getByRole('button', { name: alice.say('notify_title') }).click();
	await alice.page.getByRole('switch', { name: alice.say('notify_on') }).click();
	await alice.page.getByRole('radio', { name: alice.say('notify_name'), exact: true }).waitFor();
	await alice.page.getByRole('switch', { name: alice.say('notify_sound') }).click();
	await stage.snap('notify-choices');
}

async function named(alice, bob) {
	await bob.writes('not told of: alice looks');
	await counted(alice.page, 1);
	await looks(alice.page, false);
	await unseen(alice.page);
	await bob.writes('a secret');
	await shows(alice.page, ['bob', '2 new messages']);
	same(await told(alice.page), [['bob', '2 new messages']], 'what alice was told of');
}

async function overSeveral(stage, alice, bob) {
	await alice.page.getByRole('radio', { name: alice.say('notify_text') }).last().check();
	const second = await alice.context.newPage();
	await second.goto(alice.at);
	await counted(second, 2);
	await bob.writes('not told of: the other window is looked at');
	await counted(alice.page, 3);
	await counted(second, 3);
	await looks(second, false);
	await unseen(second);
	await bob.writes('told once');
	await shows(alice.page, ['bob', 'told once']);
	await counted(alice.page, 4);
	await counted(second, 4);
	await bob.writes('and this once');
	await shows(alice.page, ['bob', 'and this once']);
	const all = [...(await told(alice.page)), ...(await told(second))];
	same(all.map(([, body]) => body).sort(), ['2 new messages', 'and this once', 'told once'], 'what both windows have told of');
	await second.close();
}

async function ledIn(alice, bob) {
	const [worker] = alice.context.serviceWorkers();
	await worker.evaluate(async () => {
		const [notification] = await self.registration.getNotifications();
		self.dispatchEvent(new NotificationEvent('notificationclick', { notification }));
	});
	await alice.in(bob);
	await looks(alice.page, true);
	await alice.reads('and this once');
	await counted(alice.page, 0);
	await shows(alice.page);
}

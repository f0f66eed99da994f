// What people do to come in, and what no screen says to them on the way.

/** here is the site by the name that passkeys and the server's own links have. */
export const here = (stage) => stage.how.at.replace('127.0.0.1', 'localhost');

export const clipboard = { permissions: ['clipboard-read', 'clipboard-write'] };

/** invites makes a link in the browser, and copies it. */
export async function invites(p) {
	await p.button('menu').click();
	await p.page.getByRole('menuitem', { name: p.say('people_invite') }).click();
	await p.button('people_invite_make').or(p.button('people_invite_another')).click();
	await p.button('people_invite_copy').waitFor();
	const link = await p.page.locator('.link').innerText();
	await p.button('people_invite_copy').click();
	await p.button('copied').waitFor();
	if ((await p.page.evaluate(() => navigator.clipboard.readText())) !== link) throw new Error('the link that was copied is another');
	return link;
}

/** opens goes to an invitation, as by a tap on its link. */
export async function opensLink(p, link) {
	await p.page.goto(link);
	if (new URL(p.page.url()).hash.length > 1) await p.page.waitForFunction(() => !location.hash.includes('invite='));
}

/** enters says who one is. */
export async function enters(p, name) {
	await p.page.getByLabel(p.say('onboarding_name'), { exact: true }).fill(name);
	await p.button('onboarding_enter').click();
}

/** linksPast links a browser to the device that has a past. */
export async function linksPast(p) {
	const code = await p.stage.wish('past');
	await p.goes(code.replace(/^mirsal:link\?/, '/#link='));
	await p.button('onboarding_join_go').click();
	await p.stage.wish('accept');
	await p.page.getByRole('heading', { name: p.say('chats') }).waitFor();
}

// what a newcomer need not know: machines, protocols, addresses
const learned = /server|xmpp|omemo|\bjid\b|fingerprint|localhost|127\.0|@|خادم|خوادم|بصمة/i;

/** simple fails where a screen speaks of machines or addresses. */
export async function simple(p, what) {
	const text = await p.page.evaluate(() => document.body.innerText);
	const found = learned.exec(text);
	if (found) throw new Error(`${what}: a newcomer reads “${text.slice(Math.max(0, found.index - 40), found.index + 40)}”`);
}

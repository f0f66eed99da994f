// From a link to the first message: the first one of all by the link that the server prints, the
// others by links that people make. Names that are taken, links that lead nowhere, links for who
// is here already, saying no; then the ways back, by a printed code and by a passkey.

import path from 'node:path';
import { sound } from '../axe.mjs';
import { clipboard, enters, here, invites, opensLink, simple } from '../enter.mjs';
import { desktop, phone } from '../stage.mjs';
import { look } from './looks.mjs';

export default async function invited(stage, { first, revoked, late }) {
	const somebody = (name, kind) => stage.person(name, { ...kind, at: here(stage) }, clipboard);
	const sara = await somebody('sara', desktop);
	await theFirst(sara, first);
	const layla = await somebody('layla', phone);
	await aMinute(stage, layla, sara);
	await sara.page.getByText(sara.say('people_invite_came', { name: 'ليلى' })).waitFor();
	await look(sara, 'invite-used');
	await sara.button('people_invite_write', { name: 'ليلى' }).click();
	await sara.reads('السلام عليكم');
	await sara.writes('Welcome!');
	await layla.reads('Welcome!');
	await capture(layla, 'chat');

	const omar = await somebody('omar', phone);
	await taken(stage, omar, sara, await invites(sara));
	await nowhere(await somebody('nobody', phone), { revoked, late });
	await forMembers(layla, omar, sara);
	await declined(layla, omar);
	const code = await offered(stage, layla);
	await omar.place('');
	await back(stage, await somebody('again', phone), layla, code, await invites(omar));
	await passkey(sara);
}

// capture keeps a picture for docs/newcomer.md, where one is wished for.
async function capture(p, name) {
	const folder = process.env.MIRSAL_NEWCOMER;
	if (folder) await p.page.screenshot({ path: path.resolve(folder, `newcomer-${name}.png`), animations: 'disabled', caret: 'hide' });
}

async function theFirst(sara, link) {
	await opensLink(sara, link);
	await sara.page.getByRole('heading', { name: sara.say('onboarding_invited') }).waitFor();
	await sara.page.getByLabel(sara.say('onboarding_name'), { exact: true }).fill('Sara Ali');
	await sara.page.getByText(sara.say('onboarding_known_as', { name: 'sara.ali' })).waitFor();
	await look(sara, 'invited');
	await sara.button('onboarding_enter').click();
	await sara.page.getByRole('heading', { name: sara.say('chats') }).waitFor();
	await sara.page.reload();
	await sara.page.getByText(sara.say('chats_empty_alone')).waitFor();
}

// aMinute is how it should go: who was sent a link reads it, says who they are, and writes.
async function aMinute(stage, layla, sara) {
	const link = await invites(sara);
	await sara.page.getByText(sara.say('people_invite_anybody')).waitFor();
	await look(sara, 'invite', sara.page.locator('.link'), sara.page.locator('svg[role=img]'), sara.page.locator('.once'));
	const began = Date.now();
	const after = () => `${Math.round((Date.now() - began) / 100) / 10} s`;
	await opensLink(layla, link);
	await layla.page.getByRole('heading', { name: layla.say('onboarding_invites', { name: 'Sara Ali' }) }).waitFor();
	const form = after();
	await layla.page.getByLabel(layla.say('onboarding_name'), { exact: true }).fill('ليلى');
	await layla.button('onboarding_enter').click();
	await layla.field().waitFor();
	const chat = after();
	await layla.writes('السلام عليكم يا سارة');
	await layla.delivered('السلام عليكم', 'sent', 'delivered', 'read');
	console.error(`from the link: the form ${form}, the chat ${chat}, the first message is sent ${after()}`);
	await simple(layla, 'the first chat');
	await look(layla, 'first-chat');
}

async function taken(stage, omar, sara, link) {
	let arrives;
	const engine = new Promise((done) => (arrives = done)); // as on a slow line: the form is there before it
	await omar.context.route('**/engine/engine.wasm*', (route) => engine.then(() => route.continue()));
	await opensLink(omar, link);
	await omar.page.getByLabel(omar.say('onboarding_name'), { exact: true }).waitFor();
	await omar.page.getByRole('progressbar').waitFor();
	await look(omar, 'loading', omar.page.locator('.ready'));
	arrives();
	await omar.page.getByRole('progressbar').waitFor({ state: 'hidden' });
	await capture(omar, 'invited');
	await simple(omar, 'the invitation');
	const [name, short] = ['onboarding_name', 'onboarding_short'].map((key) => omar.page.getByLabel(omar.say(key), { exact: true }));
	await name.fill('Sara Ali');
	await omar.page.getByText(omar.say('onboarding_known_as', { name: 'sara.ali2' })).waitFor();
	await omar.button('onboarding_short_choose').click();
	await short.fill('sara.ali');
	await omar.page.getByText(omar.say('onboarding_short_taken', { name: 'sara.ali2' })).waitFor();
	await simple(omar, 'a name that is taken');
	await look(omar, 'name-taken');
	await short.fill('sara.a1i'); // looks like hers
	await omar.page.getByText(omar.say('onboarding_short_taken', { name: 'sara.a1i2' })).waitFor();
	await short.fill('sаra'); // with a letter of another alphabet
	await omar.page.getByText(omar.say('onboarding_short_bad')).waitFor();
	await name.fill('عمر');
	await short.fill('sara.ali'); // in spite of all
	await omar.button('onboarding_enter').click();
	await omar.page.getByText(omar.say('onboarding_short_suggest', { name: 'sara.ali2' })).waitFor();
	await short.fill('عمر');
	await capture(omar, 'name');
	await omar.button('onboarding_enter').click();
	await omar.field().waitFor();
	await omar.writes('مرحبًا سارة، أنا عمر');
	await sara.button('people_invite_write', { name: 'عمر' }).click();
	await sara.reads('أنا عمر');
	// used: nobody else comes in by it, and nobody who is here is troubled by it
	stage.expect(/404 \(Not Found\).*\/invite\//);
	await omar.page.goto(link); // as who comes back by it: the server's own page, and the way on
	await stage.snap('used');
	await omar.page.getByRole('link', { name: 'افتح محادثاتي' }).click();
	await omar.page.getByRole('heading', { name: omar.say('chats') }).waitFor();
	await omar.goes(`/#invite=${link.split('/').at(-1)}`); // as who pastes it
	await omar.page.getByRole('heading', { name: omar.say('onboarding_gone') }).waitFor();
	await omar.button('onboarding_to_chats').click();
	await omar.page.getByRole('heading', { name: omar.say('chats') }).waitFor();
}

async function nowhere(p, { revoked, late }) {
	for (const link of [revoked, late]) {
		await p.goes(`/#invite=${link.split('/').at(-1)}`);
		await p.page.getByRole('heading', { name: p.say('onboarding_gone') }).waitFor();
		await p.page.getByText(p.say('onboarding_gone_lead')).waitFor();
		await p.page.goto('about:blank');
	}
	await p.goes(`/#invite=${revoked.split('/').at(-1)}`);
	await p.page.getByRole('progressbar').waitFor({ state: 'hidden' });
	await look(p, 'invitation-gone');
	await simple(p, 'an invitation that leads nowhere');
	await p.button('onboarding_other_ways').click();
	await p.page.getByRole('heading', { name: p.say('onboarding_start') }).waitFor();
	await p.page.getByRole('button', { name: p.say('onboarding_way_invited') }).click();
	await p.page.getByLabel(p.say('onboarding_paste_link')).fill('https://example.org/');
	await p.button('onboarding_go_on').click();
	await p.page.getByText(p.say('onboarding_paste_wrong')).waitFor();
	await sound(p, 'pasting an invitation');
}

// forMembers: who was invited invites as well, those who are here already.
async function forMembers(layla, omar, sara) {
	await layla.page.goBack();
	const link = await invites(layla);
	await layla.page.getByText(layla.say('people_invite_members')).waitFor();
	await opensLink(layla, link); // her own
	await layla.page.getByText(layla.say('onboarding_here_lead')).waitFor();
	await layla.button('onboarding_to_chats').click();
	await opensLink(omar, link);
	await omar.page.getByRole('heading', { name: omar.say('onboarding_here_meet', { name: 'ليلى' }) }).waitFor();
	await look(omar, 'invitation-here');
	await omar.button('onboarding_to_chats').click(); // no: then it is as if it had not been opened
	await omar.page.getByRole('heading', { name: omar.say('chats') }).waitFor();
	if (await omar.page.getByRole('link', { name: 'ليلى' }).count()) throw new Error('who did not want to is in touch');
	await opensLink(sara, link); // in touch already
	await sara.page.getByRole('heading', { name: sara.say('onboarding_here_meet', { name: 'ليلى' }) }).waitFor();
	await sara.button('onboarding_here_write', { name: 'ليلى' }).click();
	await sara.reads('السلام عليكم');
}

// declined: a stranger who asks is told nothing, and is no contact.
async function declined(layla, omar) {
	await omar.button('chat_new').first().click();
	await omar.whom().fill('ليلى@localhost');
	await omar.button('new_add').click();
	await omar.field().waitFor();
	await omar.writes('هل تذكرينني؟');
	await layla.page.getByRole('link', { name: 'عمر' }).click();
	await layla.button('asks_no').waitFor();
	await look(layla, 'asks');
	await layla.button('asks_no').click();
	await layla.button('asks_no').waitFor({ state: 'hidden' });
	await layla.stage.snap('declined');
	await layla.page.goBack();
}

// offered: after the first messages, when nothing is going on.
async function offered(stage, layla) {
	await layla.page.getByRole('link', { name: 'Sara Ali' }).click();
	for (const text of ['كيف حالك؟', 'هذا تطبيق جميل', 'نلتقي غدًا']) await layla.writes(text);
	await layla.delivered('نلتقي غدًا', 'sent', 'delivered', 'read');
	await layla.page.goBack();
	const card = layla.page.getByRole('region', { name: layla.say('wayback_title') });
	await card.waitFor();
	await look(layla, 'wayback-card');
	await card.getByRole('button', { name: layla.say('wayback_choose') }).click();
	await layla.page.getByRole('heading', { name: layla.say('wayback_title') }).waitFor();
	await look(layla, 'wayback');
	await layla.page.getByRole('button', { name: layla.say('wayback_code_hint') }).click();
	await layla.button('wayback_code_make').waitFor();
	await look(layla, 'recovery');
	await layla.page.evaluate(() => (window.print = () => document.documentElement.classList.add('printed')));
	await layla.button('wayback_code_make').click();
	await layla.button('wayback_print').click();
	await layla.page.locator('html.printed').waitFor();
	const code = (await layla.page.locator('.sheet .big span').allInnerTexts()).join('-');
	await look(layla, 'recovery-code', layla.page.locator('.big'), layla.page.locator('.where'));
	await layla.page.emulateMedia({ media: 'print' });
	await stage.snap('printed');
	await layla.page.emulateMedia({ media: null });
	await layla.button('wayback_kept').click();
	await layla.page.getByRole('heading', { name: layla.say('wayback_title') }).waitFor();
	await layla.page.goBack();
	await layla.page.getByRole('heading', { name: layla.say('chats') }).waitFor();
	if (await card.count()) throw new Error('the way back is offered again');
	return code;
}

// back: on a phone that is new, by a link for members and the code, typed as people type.
async function back(stage, p, layla, code, link) {
	await opensLink(p, link);
	await p.page.getByRole('heading', { name: p.say('onboarding_members', { name: 'عمر' }) }).waitFor();
	await p.page.getByRole('progressbar').waitFor({ state: 'hidden' });
	await look(p, 'invitation-members');
	await p.button('onboarding_other_ways').click();
	await p.page.getByRole('button', { name: p.say('onboarding_way_code') }).click();
	await p.page.getByLabel(p.say('signin_address')).fill('ليلى');
	await p.page.getByLabel(p.say('signin_password')).fill('WRONG-WRONG-WRONG');
	await p.button('signin_go').click();
	await p.page.getByText(p.say('signin_wrong')).waitFor();
	await p.page.getByLabel(p.say('signin_password')).fill(` ${code.toLowerCase().replaceAll('-', ' ')} `);
	await p.button('signin_go').click();
	await p.button('onboarding_here_write', { name: 'عمر' }).click();
	await p.field().waitFor();
	await p.button('back').click();
	await p.page.getByRole('link', { name: 'Sara Ali' }).waitFor();
	await layla.page.getByRole('alert').waitFor(); // told on the other device
	await stage.snap('back');
}

async function passkey(sara) {
	const tools = await sara.context.newCDPSession(sara.page);
	await tools.send('WebAuthn.enable');
	const how = { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true };
	await tools.send('WebAuthn.addVirtualAuthenticator', { options: how });
	await sara.button('menu').click();
	await sara.page.getByRole('menuitem', { name: sara.say('wayback_title') }).click();
	await sara.page.getByRole('button', { name: sara.say('wayback_passkey_hint') }).click();
	await sara.page.getByRole('heading', { name: sara.say('wayback_passkeys') }).waitFor();
	await look(sara, 'wayback');
	await sara.place('page/settings');
	await sara.button('settings_leave').click();
	await sara.page.getByRole('dialog').getByRole('button', { name: sara.say('settings_leave_do'), exact: true }).click();
	await sara.page.getByRole('heading', { name: sara.say('onboarding_start') }).waitFor();
	await sara.page.getByRole('button', { name: sara.say('onboarding_way_passkey') }).click();
	await sara.page.getByRole('heading', { name: sara.say('chats') }).waitFor();
	await sara.page.getByRole('link', { name: 'ليلى' }).waitFor();
}

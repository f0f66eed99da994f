// Alice has months of talk with Bob on a browser that she has linked, and goes to days of it by
// a calendar: from the day that stands there, from the menu, by keys, in English and in Arabic.

import { sound } from '../axe.mjs';
import { linksPast } from '../enter.mjs';
import { desktop, same } from '../stage.mjs';

const bob = { name: 'bob' };
const dayOf = (at) => new Date(at).toISOString().slice(0, 10);

export default async function dates(stage, { many }) {
	const alice = await stage.person('alice', desktop);
	await linksPast(alice);
	await alice.opens(bob);
	await alice.reads(`(${many - 1})`);

	// by the day that stands there, and the keys
	await alice.page.locator('button.day').last().click();
	await chosen(alice).waitFor();
	const from = await chosen(alice).getAttribute('aria-label');
	await sound(alice, 'the calendar');
	await stage.snap('dates-en');
	for (const key of ['PageUp', 'PageUp', 'PageDown', 'ArrowUp', 'ArrowLeft', 'Home', 'End']) await alice.page.keyboard.press(key);
	await alice.page.waitForFunction((label) => document.activeElement?.getAttribute('aria-label') !== label && document.activeElement?.closest('[role=grid]'), from);
	const wished = dayOf(`${await chosen(alice).getAttribute('aria-label')} UTC`);
	await alice.page.keyboard.press('Enter');
	await arrives(alice, wished);
	await stage.snap('dates-there');

	// nothing is written on days to come, and Escape leaves all as it is
	await asks(alice);
	await alice.page.keyboard.press('PageDown');
	for (let i = 0; i < 12; i++) await alice.page.keyboard.press('PageDown');
	same(await chosen(alice).getAttribute('aria-current'), 'date', 'the last day that can be chosen');
	await alice.page.keyboard.press('Escape');
	await alice.page.getByRole('dialog').waitFor({ state: 'detached' });

	// on a phone, in Arabic, where days run to the left
	await alice.page.evaluate(() => localStorage.setItem('mirsal screen', JSON.stringify({ locale: 'ar', theme: 'dark' })));
	Object.assign(alice, { locale: 'ar', theme: 'dark' });
	await alice.page.emulateMedia({ colorScheme: 'dark' });
	await alice.page.setViewportSize({ width: 390, height: 844 });
	await alice.page.reload();
	await alice.field().waitFor();
	await alice.button('chat_menu').waitFor();
	await asks(alice);
	const today = await chosen(alice).textContent();
	if (!/^[٠-٩]+$/.test(today.trim())) throw new Error(`the digits of ${today}`);
	await alice.page.keyboard.press('ArrowRight');
	await alice.page.waitForFunction((was) => document.activeElement?.matches('[role=grid] button') && document.activeElement.textContent !== was, today);
	await sound(alice, 'the calendar');
	await stage.snap('dates-ar');
	await alice.page.keyboard.press('Enter');
	await arrives(alice, dayOf(Date.parse(`${from} UTC`) - 86_400_000));

	// before all that was ever said: the first of it
	await asks(alice);
	for (let i = 0; i < 2; i++) await alice.page.keyboard.press('Shift+PageUp');
	await alice.page.keyboard.press('Enter');
	await arrives(alice, '', '(0)');
}

// chosen is the day of the calendar that the keys would leave from.
const chosen = (person) => person.page.getByRole('grid').locator('button[tabindex="0"]');

async function asks(person) {
	await person.button('chat_menu').click();
	await person.page.getByRole('menuitem', { name: person.say('to_date'), exact: true }).click();
	await chosen(person).waitFor();
	await person.page.waitForFunction(() => document.activeElement?.matches('[role=grid] button'));
}

// arrives waits until the first message of a day is seen, and marked, under its day.
async function arrives(person, day, text = '') {
	await person.page.getByRole('dialog').waitFor({ state: 'detached' });
	await person.page.waitForFunction(([day, text]) => {
		const it = document.querySelector('article.marked');
		if (!it?.closest('li').previousElementSibling?.querySelector('.day')) return false;
		const [at, view] = [it.getBoundingClientRect(), document.querySelector('.scroller').getBoundingClientRect()];
		return at.top >= view.top - 2 && at.bottom <= view.bottom + 2 && it.innerText.includes(text) && it.querySelector('.meta time').dateTime.startsWith(day);
	}, [day, text], { polling: 'raf' });
}

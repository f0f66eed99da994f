// What somebody before a page does in rooms; methods of Person.

export const inRooms = {
	// enter makes a room of that name, or enters it where there is one.
	async enter({ room }) {
		await this.choose('converse-rooms-list', '.show-add-muc-modal');
		const form = this.page.locator('form.add-chatroom');
		await form.locator('input[name=chatroom]').fill(room);
		await form.locator('input[name=nickname]').fill(this.nick);
		await form.locator('input[type=submit]').click();
		await form.waitFor({ state: 'detached' });
		await this.entered({ room });
	},

	// entered waits until the room with this name is before the person, who may
	// write there.
	async entered({ room }) {
		await this.page.locator('converse-muc-heading .chatbox-title__text', { hasText: room }).waitFor();
		await this.page.locator('converse-muc-message-form textarea.chat-textarea').waitFor();
	},

	// choose takes an entry of the menu that a part of the page has.
	async choose(part, entry) {
		await this.page.locator(`${part} converse-dropdown button.dropdown-toggle`).first().click();
		await this.page.locator(`${part} .dropdown-menu.show ${entry}`).click();
	},

	// configure ticks boxes and chooses from lists in the room's form.
	async configure({ ticks, lists, picture }) {
		await this.choose('converse-muc-heading', '.configure-chatroom-button');
		const form = this.page.locator('converse-muc-config-modal form');
		for (const name of ticks) await form.locator(`input[name="${name}"]`).check();
		for (const [name, label] of Object.entries(lists)) await form.locator(`select[name="${name}"]`).selectOption({ label });
		await this.shoot({ name: picture });
		await form.locator('input[type=submit]').click();
		await form.waitFor({ state: 'detached' });
	},

	// invite asks somebody to come.
	async invite({ account, reason, picture }) {
		await this.choose('converse-muc-occupants', '.open-invite-modal');
		const form = this.page.locator('converse-muc-invite-modal form');
		await form.locator('input[name=invitee_jids]').fill(account);
		await form.locator('textarea[name=reason]').fill(reason);
		await this.shoot({ name: picture });
		await form.locator('input[type=submit]').click();
		await form.waitFor({ state: 'detached' });
	},

	// accept says yes to an invitation that tells all of these.
	async accept({ saying, room, picture }) {
		const asked = this.page.locator('form.confirm');
		for (const text of saying) await asked.getByText(text).waitFor();
		await this.shoot({ name: picture });
		await asked.locator('button[type=submit]').click();
		const form = this.page.locator('converse-muc-nickname-form form');
		await form.locator('input[name=nick]').fill(this.nick);
		await form.locator('input[type=submit]').click();
		await this.entered({ room });
	},

	// sees waits until the list of participants is this: the badges by name.
	async sees({ people }) {
		const shown = (want) => {
			const all = [...document.querySelectorAll('converse-muc-occupants .occupant')].map((li) => {
				const badges = [...li.querySelectorAll('.occupant-badges .badge')].map((b) => b.title);
				return [li.querySelector('.occupant-nick').innerText.trim(), badges.join(' ')];
			});
			seen.people = Object.fromEntries(all);
			return all.length === Object.keys(want).length && all.every(([name, badges]) => want[name] === badges);
		};
		try {
			await this.page.waitForFunction(shown, people);
		} catch (e) {
			const there = await this.page.evaluate(() => seen.people);
			throw new Error(`${this.who} sees ${JSON.stringify(there)}, not ${JSON.stringify(people)} (${e.name})`);
		}
	},

	// remove takes somebody's message back, as a moderator does.
	async remove({ text, reason, picture }) {
		const message = this.page.locator('.chat-msg', { hasText: text });
		await message.hover();
		await message.locator('converse-message-actions button.dropdown-toggle').click();
		await message.locator('.chat-msg__action-retract').click();
		const asked = this.page.locator('form.confirm');
		await asked.locator('input[type=text]').fill(reason);
		await this.shoot({ name: picture });
		await asked.locator('button[type=submit]').click();
	},

	// removed waits until the page says in place of a message who removed it and why,
	// and the message is nowhere.
	async removed({ saying, reason, text }) {
		const mark = this.page.locator('.chat-msg .retraction');
		await mark.getByText(saying).waitFor();
		await mark.locator('.chat-msg--retracted__reason', { hasText: reason }).waitFor();
		const left = await this.page.locator('converse-root').getByText(text).count();
		if (left > 0) throw new Error(`${this.who} still sees ${text}`);
	},
};

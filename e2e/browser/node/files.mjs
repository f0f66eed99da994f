// What somebody before a page does with files; methods of Person.

import fs from 'node:fs/promises';

export const withFiles = {
	// send chooses a file in the dialog that the paper clip opens; content is base64.
	async send({ name, type, content }) {
		const clip = this.page.locator('converse-chat-toolbar button', { has: this.page.locator('.fa-paperclip') });
		const [dialog] = await Promise.all([this.page.waitForEvent('filechooser'), clip.click()]);
		await dialog.setFiles({ name, mimeType: type, buffer: Buffer.from(content, 'base64') });
	},

	// shows waits until the open chat shows so many pictures, all loaded and of this
	// size, and the last one is from the link or was decrypted by the page.
	async shows({ pictures, width, height, encrypted }) {
		const shown = ({ pictures, width, height, from }) => {
			const all = [...document.querySelectorAll('.chat-content img.chat-image')];
			return all.length === pictures && all.at(-1).src.startsWith(from) &&
				all.every((i) => i.complete && i.naturalWidth === width && i.naturalHeight === height);
		};
		await this.page.waitForFunction(shown, { pictures, width, height, from: encrypted ? 'blob:' : 'https:' });
	},

	// get saves the file of the last message and tells its name and what is in it,
	// base64.
	async get({ name }) {
		const link = this.page.locator('.chat-content .chat-msg').last().locator('a[target=_blank]', { hasText: name });
		const [download] = await Promise.all([this.page.waitForEvent('download'), link.last().click()]);
		const content = await fs.readFile(await download.path());
		return { name: download.suggestedFilename(), content: content.toString('base64'), url: download.url() };
	},
};

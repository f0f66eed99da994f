// disk is the origin's private files: parts/ of downloads, unsaved/ what is being
// written, files/ what is whole. A path is a folder and a name in it; names are ours.

const root = () => navigator.storage.getDirectory();

async function folder(name) {
	return (await root()).getDirectoryHandle(name, { create: true });
}

async function handle(path, create) {
	const [where, name] = path.split('/');
	return (await folder(where)).getFileHandle(name, { create });
}

const absent = (e) => {
	if (e.name !== 'NotFoundError') throw e;
	return null;
};

async function write(path, content) {
	const access = await (await handle(path, true)).createSyncAccessHandle();
	try {
		for await (const bytes of content) {
			if (access.write(bytes, { at: access.getSize() }) !== bytes.byteLength) throw new Error('there is no room left for files');
		}
		access.flush();
	} finally {
		access.close();
	}
}

export const disk = {
	// fresh is a new name.
	fresh: async () => crypto.randomUUID(),

	// open is the file of a path, null where there is none.
	open: (path) => handle(path, false).then((h) => h.getFile()).catch(absent),

	append: (path, bytes) => write(path, [bytes]),

	async remove(path) {
		const [where, name] = path.split('/');
		await (await folder(where)).removeEntry(name).catch(absent);
	},

	// save moves what is whole to where it is found.
	async save(name) {
		await (await handle(`unsaved/${name}`, false)).move(await folder('files'), name);
	},

	// put keeps a Blob of the page's and returns its path.
	async put(blob) {
		const name = await disk.fresh();
		await write(`unsaved/${name}`, blob.stream());
		await disk.save(name);
		return `files/${name}`;
	},

	// clean removes what an engine that is gone was writing.
	clean: async () => (await root()).removeEntry('unsaved', { recursive: true }).catch(absent),

	async erase() {
		for (const name of ['parts', 'unsaved', 'files']) await (await root()).removeEntry(name, { recursive: true }).catch(absent);
	},
};

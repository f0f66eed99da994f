// disk is where a profile has files, in the origin's private folder: parts/ of
// downloads, unsaved/ what is being written, files/ what is whole. A path is one of
// these and a name in it; names are ours.

const absent = (e) => {
	if (e.name !== 'NotFoundError') throw e;
	return null;
};

export function disk(profile) {
	const all = () => navigator.storage.getDirectory();
	const own = `mirsal ${encodeURIComponent(profile)}`;

	async function folder(name) {
		const root = await (await all()).getDirectoryHandle(own, { create: true });
		return root.getDirectoryHandle(name, { create: true });
	}

	async function handle(path, create) {
		const [where, name] = path.split('/');
		return (await folder(where)).getFileHandle(name, { create });
	}

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

	async function remove(path) {
		const [where, name] = path.split('/');
		await (await folder(where)).removeEntry(name).catch(absent);
	}

	// save moves what is whole to where it is found.
	async function save(name) {
		await (await handle(`unsaved/${name}`, false)).move(await folder('files'), name);
	}

	// fresh is a new name.
	const fresh = async () => crypto.randomUUID();

	return {
		fresh, remove, save,

		// open is the file of a path, null where there is none.
		open: (path) => handle(path, false).then((h) => h.getFile()).catch(absent),

		append: (path, bytes) => write(path, [bytes]),

		// put keeps a Blob of the page's and returns its path.
		async put(blob) {
			const name = await fresh();
			await write(`unsaved/${name}`, blob.stream());
			await save(name);
			return `files/${name}`;
		},

		// clean removes what an engine that is gone was writing, unless a page writes there.
		async clean() {
			const unsaved = await folder('unsaved');
			for await (const name of unsaved.keys()) await unsaved.removeEntry(name).catch(() => {});
		},

		erase: async () => (await all()).removeEntry(own, { recursive: true }).catch(absent),
	};
}

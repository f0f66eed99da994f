package wasm

import (
	"bytes"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mirsal/e2e/device"
	"mirsal/internal/client/port"
)

// readAll gives all bytes and texts of all databases of the page's origin, keys and values,
// those of one row in one text of a hexadecimal digit pair a byte.
const readAll = `async () => {
	const asked = (r) => new Promise((ok, bad) => { r.onsuccess = () => ok(r.result); r.onerror = () => bad(r.error); });
	const hex = (bytes) => [...bytes].map((b) => b.toString(16).padStart(2, '0')).join('');
	const flat = (v) =>
		v instanceof ArrayBuffer ? hex(new Uint8Array(v))
		: ArrayBuffer.isView(v) ? hex(new Uint8Array(v.buffer, v.byteOffset, v.byteLength))
		: typeof v === 'string' ? hex(new TextEncoder().encode(v))
		: v && typeof v === 'object' ? Object.values(v).map(flat).join('|')
		: '';
	const said = [];
	for (const { name } of await indexedDB.databases()) {
		const db = await asked(indexedDB.open(name));
		for (const store of db.objectStoreNames) {
			const table = db.transaction(store).objectStore(store);
			const [keys, values] = await Promise.all([asked(table.getAllKeys()), asked(table.getAll())]);
			keys.forEach((k, i) => said.push({ key: flat(k), value: flat(values[i]) }));
		}
		db.close();
	}
	return said;
}`

// plant keeps a text as any page could: what finds nothing has to find this.
const plant = `(text) => new Promise((done, bad) => {
	const r = indexedDB.open('planted', 1);
	r.onupgradeneeded = () => r.result.createObjectStore('plain').put(new TextEncoder().encode(text), 'k');
	r.onsuccess = () => { r.result.close(); done(); };
	r.onerror = bad;
})`

// plantKey keeps a key that is not extractable.
const plantKey = `async (text) => {
	const key = await crypto.subtle.importKey('raw', new TextEncoder().encode(text), 'AES-GCM', false, ['encrypt']);
	const r = indexedDB.open('planted key', 1);
	r.onupgradeneeded = () => r.result.createObjectStore('keys').put(key, 'k');
	await new Promise((done, bad) => { r.onsuccess = () => { r.result.close(); done(); }; r.onerror = bad; });
}`

// onDisk names the files of the browser's that have one of the needles in them.
func onDisk(t *testing.T, folder string, needle []byte) (found []string) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil // the browser is at work there
		}
		if b, err := os.ReadFile(path); err == nil && bytes.Contains(b, needle) {
			found = append(found, strings.TrimPrefix(path, folder))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestWhatIsSaidAndTheKeysCannotBeReadInWhatTheBrowserKeeps(t *testing.T) {
	t.Parallel()
	s := device.Serve(t, []string{"alice", "bob"})
	alice, bob := browse(t, "").open("1", "alice").signIn(s), elsewhere(t, s, "bob")
	meet(&alice.person, bob)
	const control = "whatever any page keeps is found"
	alice.run(plant, control, nil)
	const bare = "this is a key of thirty-two byte"
	alice.run(plantKey, bare, nil)
	needles := map[string][]byte{"the password": []byte(device.Password)}
	for _, text := range []string{"the dinner is at nine, bring the lamp", "لا تنسَ مفتاح المكتبة القديمة"} {
		needles[text] = []byte(text)
		alice.says(bob.Address, text, port.Delivered)
		bob.says(alice.Address, "answer: "+text, port.Delivered)
		alice.hears("answer: " + text)
	}
	alice.Must(&port.KeepDraft{Chat: bob.Address, Draft: port.Draft{Text: "a draft of what is to be said"}})
	needles["a draft"] = []byte("a draft of what is to be said")
	for whose, address := range map[string]string{"alice's": "", "bob's": bob.Address} {
		for _, d := range alice.Must(&port.ListDevices{Address: address}).(*port.DeviceList).Devices {
			key, err := hex.DecodeString(strings.ReplaceAll(d.Fingerprint, " ", ""))
			if err != nil || len(key) < 32 {
				t.Fatalf("%s fingerprint is %q", whose, d.Fingerprint)
			}
			needles[whose+" public key"] = key[len(key)-32:]
		}
	}
	if len(needles) != 6 {
		t.Fatalf("%d needles: %v", len(needles), needles)
	}

	var kept []struct{ Key, Value string }
	alice.run(readAll, nil, &kept)
	has := func(needle []byte) (n int) {
		for _, row := range kept {
			if strings.Contains(row.Value, hex.EncodeToString(needle)) {
				n++
			}
		}
		return n
	}
	profile := filepath.Join(alice.b.home, "profile")
	if n, files := has([]byte(control)), onDisk(t, profile, []byte(control)); n != 1 || len(files) == 0 || len(kept) < 20 {
		t.Fatalf("of %d rows %d have what was planted, and these files: %q", len(kept), n, files)
	}
	// docs/protocol/engine.md says so; it may become better
	t.Logf("these files have a key that no script can read: %q", onDisk(t, profile, []byte(bare)))
	for what, needle := range needles {
		if n := has(needle); n > 0 {
			t.Errorf("%s: %d rows have it", what, n)
		}
		if files := onDisk(t, profile, needle); len(files) > 0 {
			t.Errorf("%s: these files have it: %q", what, files)
		}
	}
}

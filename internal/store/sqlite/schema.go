package sqlite

// applicationID marks a database file as Mirsal's ("mrsl"), schemaVersion says
// which tables it has.
const (
	applicationID = 0x6d72736c
	schemaVersion = 1
)

// schema is what a new database gets in one transaction. The durable facts of
// the archive are payload, grp and name; entry is derived from them and may be
// behind: see merge.go.
const schema = `
CREATE TABLE meta(key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE kv(
	space TEXT NOT NULL, owner TEXT NOT NULL, key TEXT NOT NULL,
	version INTEGER NOT NULL, value BLOB NOT NULL,
	PRIMARY KEY(space, owner, key)) WITHOUT ROWID;
CREATE TABLE account(
	name TEXT PRIMARY KEY, created INTEGER NOT NULL, admin INTEGER NOT NULL, disabled INTEGER NOT NULL,
	scram1 BLOB NOT NULL, scram256 BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE payload(seq INTEGER PRIMARY KEY, grp INTEGER NOT NULL, body BLOB NOT NULL);
CREATE TABLE grp(n INTEGER PRIMARY KEY, time INTEGER NOT NULL, packed BLOB NOT NULL);
CREATE INDEX grp_time ON grp(time);
CREATE TABLE name(id INTEGER PRIMARY KEY, jid TEXT NOT NULL UNIQUE);
CREATE TABLE entry(
	owner INTEGER NOT NULL, seq INTEGER NOT NULL, peer INTEGER NOT NULL,
	time INTEGER NOT NULL, flags INTEGER NOT NULL,
	PRIMARY KEY(owner, seq)) WITHOUT ROWID;
INSERT INTO meta VALUES ('last', 0), ('merged', 0), ('version', 0);
`

// The keys of meta.
const (
	metaLast    = "last"    // highest number ever used, as of the latest deletion
	metaMerged  = "merged"  // entries up to this number are in the index
	metaVersion = "version" // of the latest write to kv
)

func (c *conn) meta(key string) (uint64, error) {
	r, err := c.one(`SELECT value FROM meta WHERE key = ?`, key)
	if err != nil || r == nil {
		return 0, err
	}
	return uint64(r.int(0)), nil
}

func (c *conn) setMeta(key string, value uint64) error {
	return c.exec(`UPDATE meta SET value = ? WHERE key = ?`, int64(value), key)
}

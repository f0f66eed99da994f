package sqlite

import (
	"fmt"

	sqlite3 "modernc.org/sqlite/lib"
)

// BuiltWith is the version of SQLite in this program, and an error when that is too
// old to be trusted with data.
func BuiltWith() (version string, err error) {
	version = sqlite3.SQLITE_VERSION
	if olderThan(version, oldestSQLite) {
		err = fmt.Errorf("SQLite %s can lose committed data; at least %s is needed", version, oldestSQLite)
	}
	return version, err
}

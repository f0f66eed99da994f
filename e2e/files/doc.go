// Package files tests the client's files (internal/client/files) against bin/mirsal,
// through a proxy that breaks connections in the middle of a file, and across the end
// of a program. What people see of files is tested with the client that shows them.
package files

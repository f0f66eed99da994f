package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// conn is one connection with its prepared statements. It speaks to the driver
// without database/sql in between, whose pools and conversions cost more than
// the small statements here. One goroutine at a time uses it. No context ever
// reaches the driver: a cancelled one can leave a connection locked, and every
// statement here is short.
type conn struct {
	raw   driver.Conn
	stmts map[string]driver.Stmt
	args  []driver.NamedValue // reused by each statement
}

func connect(dsn string) (*conn, error) {
	connector, err := sqlite.NewConnector(dsn)
	if err != nil {
		return nil, err
	}
	raw, err := connector.Connect(context.Background())
	if err != nil {
		return nil, err
	}
	return &conn{raw: raw, stmts: make(map[string]driver.Stmt)}, nil
}

func (c *conn) close() error {
	var errs []error
	for _, s := range c.stmts {
		errs = append(errs, s.Close())
	}
	return errors.Join(append(errs, c.raw.Close())...)
}

// stmt returns the kept statement of a text, preparing it the first time. The
// texts are constants, so they are few.
func (c *conn) stmt(text string) (driver.Stmt, error) {
	if s := c.stmts[text]; s != nil {
		return s, nil
	}
	s, err := c.raw.Prepare(text)
	if err != nil {
		return nil, fmt.Errorf("prepare %q: %w", text, err)
	}
	c.stmts[text] = s
	return s, nil
}

// bind fills c.args. Arguments are int64, string, or []byte that is not nil.
func (c *conn) bind(args []any) []driver.NamedValue {
	c.args = c.args[:0]
	for i, a := range args {
		c.args = append(c.args, driver.NamedValue{Ordinal: i + 1, Value: a})
	}
	return c.args
}

func (c *conn) exec(text string, args ...any) error {
	_, err := c.change(text, args...)
	return err
}

// change runs a statement and returns how many rows it changed.
func (c *conn) change(text string, args ...any) (int64, error) {
	s, err := c.stmt(text)
	if err != nil {
		return 0, err
	}
	res, err := s.(driver.StmtExecContext).ExecContext(context.Background(), c.bind(args))
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// run executes statements once, without keeping them.
func (c *conn) run(script string) error {
	_, err := c.raw.(driver.ExecerContext).ExecContext(context.Background(), script, nil)
	return err
}

// row is one result row; it is valid until the next one, its values stay.
type row []driver.Value

func (r row) int(i int) int64 {
	n, _ := r[i].(int64)
	return n
}

func (r row) text(i int) string {
	s, _ := r[i].(string)
	return s
}

// blob returns a fresh slice that is never nil.
func (r row) blob(i int) []byte {
	if b, _ := r[i].([]byte); b != nil {
		return b
	}
	return []byte{}
}

// query calls f with each row. f must not use the same statement.
func (c *conn) query(f func(row) error, text string, args ...any) (err error) {
	s, err := c.stmt(text)
	if err != nil {
		return err
	}
	rows, err := s.(driver.StmtQueryContext).QueryContext(context.Background(), c.bind(args))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	values := make(row, len(rows.Columns()))
	for {
		if err := rows.Next(values); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if err := f(values); err != nil {
			return err
		}
	}
}

// one returns the first row, or nil when there is none.
func (c *conn) one(text string, args ...any) (row, error) {
	var first row
	err := c.query(func(r row) error {
		if first == nil {
			first = append(row{}, r...)
		}
		return nil
	}, text, args...)
	return first, err
}

// code returns the primary result code of SQLite's error in err, 0 for none.
func code(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code() & 0xff
	}
	return 0
}

const (
	codeFull       = sqlite3.SQLITE_FULL
	codeConstraint = sqlite3.SQLITE_CONSTRAINT
)

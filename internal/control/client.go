package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"mirsal/internal/auth"
)

// Client works on the accounts of a running server.
type Client struct {
	http    *http.Client
	release func()
}

// Dial finds the server of a data directory; ErrNobody when there is none.
func Dial(ctx context.Context, dir string) (*Client, error) {
	path, release, err := socketPath(dir)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNobody, err)
	}
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}
	c := &Client{http: &http.Client{Transport: &http.Transport{DialContext: dial}}, release: release}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if _, err := c.call(ctx, "/ping", request{}); err != nil {
		c.Close()
		return nil, fmt.Errorf("%w: %w", ErrNobody, err)
	}
	return c, nil
}

// Close ends the connection.
func (c *Client) Close() {
	c.http.CloseIdleConnections()
	c.release()
}

// Status asks how the server is. One of an older version knows no answer.
func (c *Client) Status(ctx context.Context) (Status, error) {
	out, err := c.call(ctx, "/status", request{})
	if err == nil && out.Status == nil {
		err = errors.New("the server answers something else")
	}
	if err != nil {
		return Status{}, err
	}
	return *out.Status, nil
}

// Add satisfies Accounts.
func (c *Client) Add(ctx context.Context, name, password string) (string, error) {
	out, err := c.call(ctx, "/account/add", request{Name: name, Password: password})
	return out.Name, err
}

// Import satisfies Accounts.
func (c *Client) Import(ctx context.Context, r io.Reader) (int, error) {
	out, err := c.post(ctx, "/account/import", r)
	return out.Count, err
}

// List satisfies Accounts.
func (c *Client) List(ctx context.Context) ([]string, error) {
	out, err := c.call(ctx, "/account/list", request{})
	return out.Names, err
}

// Passwd satisfies Accounts.
func (c *Client) Passwd(ctx context.Context, name, password string) error {
	_, err := c.call(ctx, "/account/passwd", request{Name: name, Password: password})
	return err
}

// Remove satisfies Accounts.
func (c *Client) Remove(ctx context.Context, name string) error {
	_, err := c.call(ctx, "/account/remove", request{Name: name})
	return err
}

// Disable satisfies Accounts.
func (c *Client) Disable(ctx context.Context, name string) error {
	_, err := c.call(ctx, "/account/disable", request{Name: name})
	return err
}

// Enable satisfies Accounts.
func (c *Client) Enable(ctx context.Context, name string) error {
	_, err := c.call(ctx, "/account/enable", request{Name: name})
	return err
}

// SetAdmin satisfies Accounts.
func (c *Client) SetAdmin(ctx context.Context, name string, admin bool) error {
	_, err := c.call(ctx, "/account/admin", request{Name: name, Force: admin})
	return err
}

// AddAnyway satisfies Accounts.
func (c *Client) AddAnyway(ctx context.Context, name, password string) (string, error) {
	out, err := c.call(ctx, "/account/add", request{Name: name, Password: password, Force: true})
	return out.Name, err
}

// Invite satisfies Accounts.
func (c *Client) Invite(ctx context.Context, o auth.Offer) (auth.Invitation, error) {
	out, err := c.call(ctx, "/invite", request{Offer: &o})
	if err == nil && len(out.Invitations) != 1 {
		err = errors.New("the server answers something else")
	}
	if err != nil {
		return auth.Invitation{}, err
	}
	return out.Invitations[0], nil
}

// Invitations satisfies Accounts.
func (c *Client) Invitations(ctx context.Context, from string) ([]auth.Invitation, error) {
	out, err := c.call(ctx, "/invite/list", request{Name: from})
	return out.Invitations, err
}

// Withdraw satisfies Accounts.
func (c *Client) Withdraw(ctx context.Context, id string) error {
	_, err := c.call(ctx, "/invite/revoke", request{Name: id})
	return err
}

// Circles satisfies Accounts.
func (c *Client) Circles(ctx context.Context) ([]auth.Circle, error) {
	out, err := c.call(ctx, "/circle/list", request{})
	return out.Circles, err
}

// Members satisfies Accounts.
func (c *Client) Members(ctx context.Context, circle string) ([]string, error) {
	out, err := c.call(ctx, "/circle/members", request{Circle: circle})
	return out.Names, err
}

// Join satisfies Accounts.
func (c *Client) Join(ctx context.Context, circle, name string) error {
	_, err := c.call(ctx, "/circle/add", request{Circle: circle, Name: name})
	return err
}

// Leave satisfies Accounts.
func (c *Client) Leave(ctx context.Context, circle, name string) error {
	_, err := c.call(ctx, "/circle/remove", request{Circle: circle, Name: name})
	return err
}

func (c *Client) call(ctx context.Context, path string, in request) (response, error) {
	body, err := json.Marshal(in)
	if err != nil {
		return response{}, err
	}
	return c.post(ctx, path, bytes.NewReader(body))
}

func (c *Client) post(ctx context.Context, path string, body io.Reader) (out response, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://control"+path, io.NopCloser(body))
	if err != nil {
		return out, err
	}
	resp, err := c.http.Do(req)
	var way *url.Error
	if errors.As(err, &way) {
		err = way.Err // that it went by HTTP is nobody's business
	}
	if err != nil {
		return out, err
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
		return out, fmt.Errorf("the server answers something else: %s", resp.Status)
	}
	if out.Error != "" {
		return out, errors.New(out.Error)
	}
	return out, nil
}

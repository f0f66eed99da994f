package scripts

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"mirsal/internal/auth"
	"mirsal/internal/config"
	"mirsal/internal/server"
	"mirsal/internal/xmpp/sasl"
)

// mirsal is the server in this process, on ports of the system's choice.
type mirsal struct {
	cfg config.Config
	*server.Server
}

// start starts a server with its data in a folder.
func start(ctx context.Context, data string, settings []string) (*mirsal, error) {
	here := "127.0.0.1:0"
	cfg, err := config.Load("", append([]string{
		"domain=" + Domain, "data=" + data, "log.level=error", "auth.iterations=4096",
		"listen.c2s=" + here, "listen.c2s_tls=" + here, "listen.http=" + here, "listen.http_plain=off", "listen.ops=off",
	}, settings...))
	if err != nil {
		return nil, err
	}
	s, err := server.Start(ctx, cfg, server.Options{})
	if err != nil {
		return nil, err
	}
	return &mirsal{cfg, s}, nil
}

func (m *mirsal) addr(name string) string { return m.Addr(name) }

func (m *mirsal) addAccount(ctx context.Context, name, password string) error {
	_, err := m.Auth.Add(ctx, name, password)
	return err
}

// bring imports an account as another server has kept it: by keys for SCRAM-SHA-1.
func (m *mirsal) bring(ctx context.Context, name, password string) error {
	salt := []byte("salt elsewhere")
	keys, err := sasl.Derive(password, salt, salt, 4096)
	if err != nil {
		return err
	}
	b64 := base64.StdEncoding.EncodeToString
	line := fmt.Sprintf("%s\tscram-sha-1:%d:%s:%s:%s\n", name, keys.SHA1.Iterations, b64(salt), b64(keys.SHA1.StoredKey), b64(keys.SHA1.ServerKey))
	_, err = m.Auth.Import(ctx, strings.NewReader(line))
	return err
}

func (m *mirsal) invite(ctx context.Context) (string, error) {
	in, err := m.Auth.Invite(ctx, auth.Offer{Life: time.Hour})
	return in.Token, err
}

func (m *mirsal) inviteTo(ctx context.Context, circle string, people int) (string, error) {
	in, err := m.Auth.Invite(ctx, auth.Offer{Life: time.Hour, Circle: circle, Uses: people})
	return in.Token, err
}

func (m *mirsal) promote(ctx context.Context, name string) error {
	return m.Auth.SetAdmin(ctx, name, true)
}

func (m *mirsal) restart(context.Context) error {
	if err := m.Close(); err != nil {
		return err
	}
	s, err := server.Start(context.Background(), m.cfg, server.Options{})
	if err == nil {
		m.Server = s
	}
	return err
}

package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"mirsal/internal/conformance"
	"mirsal/internal/server"
	"mirsal/internal/xmpp/jid"
)

// exitStatus is an end that is no trouble to be told in a line of its own.
type exitStatus int

func (s exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// conformanceFlags are the flags of the command.
type conformanceFlags struct {
	server, serverTLS, web, component, ca string
	directTLS, insecure, plain            bool
	passwordStdin, json                   bool
	width                                 int
}

func newConformance() *cobra.Command {
	f := &conformanceFlags{}
	cmd := &cobra.Command{
		Use: "conformance JID", Short: "Sign in to any XMPP server and say what it can do",
		Long: "Sign in to any XMPP server and try what the XMPP Compliance Suites (XEP-0479) ask of servers.\n\n" +
			"It tries rather than asks: messages, copies, history, blocking, rooms, upload and more, between devices of\n" +
			"this one account. Contacts see nothing of it, and what it makes it removes at the end; what stays is one\n" +
			"or two messages to yourself in your archive, and a file of 1 kB where files can be uploaded.\n\n" +
			"The exit status is 0 when the server has what is asked of a core server in the section Core, 1 when not,\n" +
			"2 when nobody could sign in or the command line was wrong.",
		Example: "  mirsal conformance alice@example.org\n" +
			"  mirsal conformance alice@example.org --json --password-stdin <secret >table.json\n" +
			"  mirsal conformance alice@localhost --server localhost:5222 --server-tls localhost:5223 \\\n" +
			"    --web localhost:5443 --ca mirsal-data/tls/ca.pem",
		Args: exactly(1, "JID"),
		RunE: func(cmd *cobra.Command, args []string) error { return runConformance(cmd, f, args[0]) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.server, "server", "", "where to sign in, `host:port` (default: what DNS says)")
	fl.BoolVar(&f.directTLS, "direct-tls", false, "sign in with TLS from the first byte")
	fl.StringVar(&f.serverTLS, "server-tls", "", "where direct TLS is, `host:port` (default: what DNS says)")
	fl.StringVar(&f.web, "web", "", "where the domain's HTTPS is, `host:port` (default: the domain, 443)")
	fl.StringVar(&f.component, "component", "", "where components connect, `host:port` (default: that is not tried)")
	fl.StringVar(&f.ca, "ca", "", "`file` with certificates (PEM) to trust besides the system's")
	fl.BoolVar(&f.insecure, "insecure", false, "sign in even if the certificate is not trusted")
	fl.BoolVar(&f.plain, "allow-plain", false, "send the password itself if the server takes nothing else")
	fl.BoolVar(&f.passwordStdin, "password-stdin", false, "read the password from the first line of standard input")
	fl.BoolVar(&f.json, "json", false, "write JSON for programs (docs/conformance/README.md)")
	fl.IntVar(&f.width, "width", 0, "columns of the table (default: the terminal's, else 80)")
	return cmd
}

func runConformance(cmd *cobra.Command, f *conformanceFlags, who string) error {
	o, err := f.options(who)
	if err != nil {
		return err
	}
	if o.Password, err = f.password(o.Account); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	done := progress(&o)
	r, err := conformance.Run(ctx, o)
	done()
	var signIn *conformance.SignInError
	switch {
	case errors.As(err, &signIn):
		fmt.Fprintf(os.Stderr, "mirsal: cannot sign in as %s: %v\n", o.Account, err)
		return exitStatus(2)
	case errors.Is(err, context.Canceled):
		return errors.New("broken off; something named mirsal-conformance may be left in the account")
	case err != nil:
		return err
	}
	return f.write(cmd, r)
}

func (f *conformanceFlags) options(who string) (o conformance.Options, err error) {
	if o.Account, err = parseAccount(who); err != nil {
		return o, err
	}
	for _, a := range []string{f.server, f.serverTLS, f.web, f.component} {
		if _, _, err := net.SplitHostPort(a); a != "" && err != nil {
			return o, usage("%q is not host:port", a)
		}
	}
	if f.ca != "" {
		if o.CA, err = trusted(f.ca); err != nil {
			return o, usage("--ca: %v", err)
		}
	}
	o.Server, o.DirectTLS, o.ServerTLS, o.Web = f.server, f.directTLS, f.serverTLS, f.web
	o.Component = f.component
	o.Insecure, o.AllowPlain = f.insecure, f.plain
	o.Program, o.Now = "mirsal "+server.Version, time.Now()
	return o, nil
}

// trusted is the system's CAs and those of a file.
func trusted(file string) (*x509.CertPool, error) {
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s has no certificate in PEM", file)
	}
	return pool, nil
}

// password says what will be done, and then asks.
func (f *conformanceFlags) password(account jid.JID) (string, error) {
	if f.passwordStdin {
		return password(true)
	}
	if !term.IsTerminal(int(os.Stdin.Fd())) {
		return "", usage("standard input is no terminal: use --password-stdin")
	}
	fmt.Fprint(os.Stderr, conformance.About(account)+"\n")
	p, err := ask("Password of " + account.String() + ": ")
	if err != nil {
		return "", err
	}
	return checked(p)
}

// progress tells what is being tried, on one line of a terminal.
func progress(o *conformance.Options) (done func()) {
	if !term.IsTerminal(int(os.Stderr.Fd())) {
		return func() {}
	}
	o.Progress = func(about string) { fmt.Fprintf(os.Stderr, "\r\x1b[Ktrying %s …", about) }
	return func() { fmt.Fprint(os.Stderr, "\r\x1b[K") }
}

func (f *conformanceFlags) write(cmd *cobra.Command, r *conformance.Report) (err error) {
	if f.json {
		err = r.JSON(cmd.OutOrStdout())
	} else {
		err = r.Write(cmd.OutOrStdout(), f.style())
	}
	if err == nil && !r.CoreMet() {
		err = exitStatus(1)
	}
	return err
}

// style is that of the terminal, if there is one.
func (f *conformanceFlags) style() conformance.Style {
	s := conformance.Style{Width: 80}
	out := int(os.Stdout.Fd())
	if term.IsTerminal(out) {
		if w, _, err := term.GetSize(out); err == nil {
			s.Width = w
		}
		s.Color = os.Getenv("NO_COLOR") == "" && !strings.HasPrefix(os.Getenv("TERM"), "dumb")
	}
	if f.width > 0 {
		s.Width = f.width
	}
	return s
}

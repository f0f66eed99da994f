package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"mirsal/internal/config"
	"mirsal/internal/server"
)

// flagKeys are the flags of serve that stand for a configuration key.
var flagKeys = []struct{ flag, key, help string }{
	{"domain", "domain", "domain of the accounts (default localhost)"},
	{"c2s", "listen.c2s", "address for clients, host:port or off (default :5222)"},
	{"c2s-tls", "listen.c2s_tls", "address for clients with direct TLS (default :5223)"},
	{"http", "listen.http", "address for HTTPS (default :5443)"},
	{"http-plain", "listen.http_plain", "loopback address for HTTP behind a proxy (default 127.0.0.1:5280)"},
	{"ops", "listen.ops", "address for metrics and health (default 127.0.0.1:5281)"},
	{"cert", "tls.cert", "certificate with its chain, PEM (default: of an own CA)"},
	{"key", "tls.key", "key of the certificate, PEM"},
}

func newServe(o *options) *cobra.Command {
	var choose func(*cobra.Command) (string, []string)
	cmd := &cobra.Command{
		Use: "serve", Short: "Run the server until it is told to stop",
		Long: "Run the server until SIGINT or SIGTERM: it tells its clients and stops; a second signal ends it at once. SIGHUP has it read its certificate again.\n" +
			"Where one key is given several times, --set wins over the other flags, and these over the file.",
		Example: "  mirsal serve\n" +
			"  mirsal serve --domain example.org --cert fullchain.pem --key privkey.pem\n" +
			"  mirsal serve --data /var/lib/mirsal --set e2ee=optional --set archive.keep=delivered",
		Args: exactly(0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			file, sets := choose(cmd)
			cfg, err := config.Load(file, sets)
			if err != nil {
				return err
			}
			for {
				err := serve(cmd, cfg)
				if !errors.Is(err, server.ErrRestart) {
					return err
				}
				cfg = configAgain(cmd, cfg, file, sets)
			}
		},
	}
	choose = configFlags(cmd, o)
	return cmd
}

// configAgain reads the configuration for a restart. What is wrong with it keeps the
// server from nothing: the one from before goes on.
func configAgain(cmd *cobra.Command, was config.Config, file string, sets []string) config.Config {
	now, err := config.Load(file, sets)
	if err != nil {
		fmt.Fprintf(cmd.ErrOrStderr(), "mirsal: restarted as it was: %v\n", err)
		return was
	}
	return now
}

// configFlags adds the flags that choose a configuration. What is returned tells,
// once they are parsed, the file ("" for none) and the settings over it.
func configFlags(cmd *cobra.Command, o *options) func(*cobra.Command) (file string, sets []string) {
	var file string
	var sets []string
	cmd.Flags().StringVar(&file, "config", "", "configuration file (mirsal config prints one)")
	for _, f := range flagKeys {
		cmd.Flags().String(f.flag, "", f.help)
	}
	cmd.Flags().StringArrayVar(&sets, "set", nil, "set a configuration key, `key=value`; may be repeated")
	return func(cmd *cobra.Command) (string, []string) { return file, append(flagSets(cmd, o), sets...) }
}

// flagSets turns the flags that were given into settings.
func flagSets(cmd *cobra.Command, o *options) (sets []string) {
	for _, f := range flagKeys {
		if fl := cmd.Flags().Lookup(f.flag); fl.Changed {
			sets = append(sets, f.key+"="+fl.Value.String())
		}
	}
	if cmd.Flags().Changed("data") {
		sets = append(sets, "data="+o.data)
	}
	return sets
}

// serve runs a server. The first signal stops it gracefully; the next one finds
// no handler any more and ends the process.
func serve(cmd *cobra.Command, cfg config.Config) error {
	if err := checkDir(cfg.Data); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	reload := make(chan os.Signal, 1)
	signal.Notify(reload, syscall.SIGHUP)
	defer signal.Stop(reload)
	return server.Run(ctx, cfg, cmd.OutOrStdout(), reload)
}

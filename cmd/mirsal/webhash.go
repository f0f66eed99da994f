package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"mirsal/internal/assets"
	"mirsal/internal/httpd"
	"mirsal/web"
)

func newWebHash() *cobra.Command {
	var site, ca string
	var manifest bool
	cmd := &cobra.Command{
		Use: "web-hash", Short: "Print the hashes of the screen for browsers, or compare a server's with them",
		Long: "Print the SHA-256 of every file of the screen in this program, unpacked, as sha256sum does. The first line is\n" +
			"that of the list itself, which every server hands out at /manifest.json: it stands for all the others.\n" +
			"With --check the files that a server hands out are compared with those of this program, and so are the\n" +
			"headers that say what a browser may do with them.",
		Example: "  mirsal web-hash\n  mirsal web-hash --manifest >manifest.json\n  mirsal web-hash --check https://chat.example.org",
		Args:    exactly(0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			set, err := assets.New(web.Dist())
			if err != nil {
				return err
			}
			if !set.Built() {
				return fmt.Errorf("this program was built without the screen: make build, where Node is installed")
			}
			if site != "" {
				return checkSite(cmd, set, site, ca)
			}
			if ca != "" {
				return usage("--ca goes with --check")
			}
			return printHashes(cmd.OutOrStdout(), set, manifest)
		},
	}
	cmd.Flags().StringVar(&site, "check", "", "compare with the server at this `URL`")
	cmd.Flags().StringVar(&ca, "ca", "", "with --check: `file` with certificates (PEM) to trust besides the system's")
	cmd.Flags().BoolVar(&manifest, "manifest", false, "print the list as servers hand it out, for signing")
	cmd.MarkFlagsMutuallyExclusive("check", "manifest")
	return cmd
}

func printHashes(w io.Writer, set *assets.Set, manifest bool) error {
	b, err := set.Manifest()
	if err != nil {
		return err
	}
	if manifest {
		_, err = w.Write(b)
		return err
	}
	fmt.Fprintf(w, "%s  manifest.json\n", assets.Hash(b))
	list, err := set.List()
	for _, a := range list {
		fmt.Fprintf(w, "%s  %s\n", a.SHA256, a.Path)
	}
	return err
}

// siteWait is how long a server may take for one file.
const siteWait = time.Minute

func checkSite(cmd *cobra.Command, set *assets.Set, site, ca string) error {
	at, err := url.Parse(site)
	if err != nil || at.Host == "" || at.Scheme != "https" && at.Scheme != "http" {
		return usage("%q is no address such as https://chat.example.org", site)
	}
	c, err := siteClient(ca)
	if err != nil {
		return err
	}
	site = strings.TrimSuffix(at.Scheme+"://"+at.Host+at.EscapedPath(), "/")
	out := cmd.OutOrStdout()
	origin := &url.URL{Scheme: at.Scheme, Host: at.Host}
	files, noFiles := filesOf(cmd.Context(), c, site)
	wrong, err := set.Check(cmd.Context(), c, site, func(name string) http.Header { return httpd.ScreenHeaders(name, origin, files) })
	if err != nil {
		return err
	}
	if noFiles != nil {
		wrong = append(wrong, "site.json: "+noFiles.Error())
	}
	for _, line := range wrong {
		fmt.Fprintln(out, oneLine(line))
	}
	if len(wrong) > 0 {
		return fmt.Errorf("%s hands out something else than this program holds: another version, or another hand", site)
	}
	if files != "" && !strings.HasPrefix(files, origin.String()+"/") {
		fmt.Fprintln(out, oneLine("The server says that files are at "+files+": pages may connect there too."))
	}
	_, err = fmt.Fprintf(out, "%s hands out what this program holds: %d files\n", site, len(set.Names()))
	return err
}

// siteClient asks as a browser would, but follows nobody elsewhere.
func siteClient(ca string) (*http.Client, error) {
	c := &http.Client{Timeout: siteWait, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if ca == "" {
		return c, nil
	}
	roots, err := trusted(ca)
	if err != nil {
		return nil, usage("--ca: %v", err)
	}
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.TLSClientConfig = &tls.Config{RootCAs: roots}
	c.Transport = t
	return c, nil
}

// filesOf is what links to files begin with, as a site says: pages may connect there.
func filesOf(ctx context.Context, c *http.Client, site string) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, site+"/site.json", nil)
	if err != nil {
		return "", err
	}
	resp, err := c.Do(r)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	var about struct {
		Files string `json:"files"`
	}
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("HTTP status %d", resp.StatusCode)
	}
	err = json.NewDecoder(io.LimitReader(resp.Body, 64<<10)).Decode(&about)
	return about.Files, err
}

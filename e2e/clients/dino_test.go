package clients

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"mirsal/e2e/mirsal"
	"mirsal/e2e/terminal"
	"mirsal/internal/foreign"
)

// chatDomain is the domain where Dino is: it takes localhost for this machine
// whatever it is told, and the ports that are usual.
const chatDomain = "chat.test"

// startUsual starts a server for chatDomain on the usual ports of an address of
// its own, and returns it and that address.
func startUsual(t *testing.T, settings ...string) (*server, string) {
	t.Helper()
	ip := foreign.Loopback(t, 5222, 5223)
	args := []string{
		"--domain", chatDomain, "--c2s", ip + ":5222", "--c2s-tls", ip + ":5223",
		"--set", "e2ee=required", "--set", "limits.enabled=true",
	}
	for _, s := range settings {
		args = append(args, "--set", s)
	}
	s := mirsal.Start(t, mirsal.Options{Bin: binary, Args: args})
	return &server{Server: s, ca: filepath.Join(s.Data, "tls", "ca.pem")}, ip
}

// A dino is a person with a fresh Dino, on a screen of its own.
type dino struct {
	t       *testing.T
	account string // bare address
	home    string
	in      io.Writer
	answers *bufio.Scanner
	last    int // id of the last command
	display string
}

// main is what Dino calls its window.
const mainWindow = "DinoUiMainWindow"

// newDino starts Dino for an account that exists and signs in as the dialogs of
// the first start ask for.
func newDino(t *testing.T, s *server, ip, name string) *dino {
	t.Helper()
	d := &dino{t: t, account: name + "@" + chatDomain, home: shortHome(t)}
	d.display = screen(t)
	d.run(place(t, s, ip, d.home))
	d.signIn()
	return d
}

// place is the beginning of a command line for programs that find the server by
// its name and trust it: Dino asks the system for both.
func place(t *testing.T, s *server, ip, home string) []string {
	t.Helper()
	hosts, resolver := filepath.Join(home, "hosts"), filepath.Join(home, "resolv.conf")
	names := fmt.Sprintf("127.0.0.1 localhost\n%s %s conference.%[2]s upload.%[2]s\n", ip, chatDomain)
	for file, text := range map[string]string{hosts: names, resolver: "nameserver " + ip + "\n"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return foreign.InPlace(t, map[string]string{
		"/etc/hosts": hosts, "/etc/resolv.conf": resolver, "/etc/ssl/certs/ca-certificates.crt": s.ca,
	})
}

// shortHome is a directory whose name leaves room for the sockets that the
// session's bus makes in it.
func shortHome(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "mirsal-dino")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// screen starts an X server with a window manager, and returns its name.
func screen(t *testing.T) string {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	x := exec.Command(foreign.Program(t, "Xvfb"), "-displayfd", "3", "-screen", "0", "1100x760x24", "-nolisten", "tcp")
	x.ExtraFiles = []*os.File{w}
	background(t, x)
	w.Close()
	number, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		t.Fatal("Xvfb: ", err)
	}
	display := ":" + strings.TrimSpace(number)
	wm := exec.Command(foreign.Program(t, "openbox"))
	wm.Env = append(os.Environ(), "DISPLAY="+display, "HOME="+t.TempDir())
	background(t, wm)
	return display
}

// background starts a program that ends with the test.
func background(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
	})
}

// run starts python/dino.py and, with it, Dino.
func (d *dino) run(command []string) {
	d.t.Helper()
	for _, p := range []string{"dino-im", "xdotool", "import", "dbus-run-session"} {
		foreign.Program(d.t, p)
	}
	command = append(command, "dbus-run-session", "--", foreign.Python(d.t, "gi.repository.Atspi"), "python/dino.py", d.file("dino.log"))
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8", "DISPLAY=" + d.display, "HOME=" + d.home,
		"XDG_RUNTIME_DIR=" + d.home, "XDG_DATA_HOME=" + d.file("data"), "XDG_CONFIG_HOME=" + d.file("config"),
		"XDG_CACHE_HOME=" + d.file("cache"), "GDK_BACKEND=x11", "GSK_RENDERER=cairo", "GSETTINGS_BACKEND=memory",
		"PYTHONDONTWRITEBYTECODE=1", "GST_REGISTRY=" + d.file("gst"),
	}
	in, err1 := cmd.StdinPipe()
	out, err2 := cmd.StdoutPipe()
	if err1 != nil || err2 != nil {
		d.t.Fatal(err1, err2)
	}
	d.in, d.answers = in, bufio.NewScanner(out)
	d.answers.Buffer(nil, 1<<20)
	background(d.t, cmd)
	d.t.Cleanup(d.end)
}

func (d *dino) file(name string) string { return filepath.Join(d.home, name) }

// end shows what was to be seen when a test failed.
func (d *dino) end() {
	if !d.t.Failed() {
		return
	}
	d.look("failed")
	said, err := d.try("tree", "title", mainWindow)
	d.t.Logf("%s sees %v %v", d.account, said, err)
	const last = 6 << 10
	raw, _ := os.ReadFile(d.file("dino.log"))
	d.t.Logf("the end of the log of %s:\n%s", d.account, raw[max(0, len(raw)-last):])
}

// try has a command done, with arguments as name, value, name, value.
func (d *dino) try(command string, args ...any) (any, error) {
	d.last++
	c := map[string]any{"id": d.last, "do": command}
	for i := 0; i+1 < len(args); i += 2 {
		c[args[i].(string)] = args[i+1]
	}
	line, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	if _, err := fmt.Fprintf(d.in, "%s\n", line); err != nil {
		return nil, err
	}
	for d.answers.Scan() {
		var answer struct {
			Re    int
			OK    any
			Error string
		}
		if json.Unmarshal(d.answers.Bytes(), &answer) != nil || answer.Re != d.last {
			continue // other programs of the session write here too
		}
		if answer.Error != "" {
			return nil, errors.New(answer.Error)
		}
		return answer.OK, nil
	}
	return nil, fmt.Errorf("dino.py has ended: %v", d.answers.Err())
}

// do tries until it goes: what is to be pressed may not be there yet.
func (d *dino) do(command string, args ...any) {
	d.t.Helper()
	var err error
	defer func() {
		if err != nil {
			d.t.Log(d.account, err)
		}
	}()
	terminal.WaitFor(d.t, fmt.Sprint(d.account, " to ", command, args), func() bool {
		_, err = d.try(command, args...)
		return err == nil
	})
}

func (d *dino) press(window, name string) {
	d.t.Helper()
	d.do("press", "title", window, "name", name)
}

// sees waits until a line of the window matches.
func (d *dino) sees(window, pattern string) {
	d.t.Helper()
	re := regexp.MustCompile(pattern)
	terminal.WaitFor(d.t, d.account+" to see "+pattern, func() bool {
		lines, _ := d.try("sees", "title", window)
		list, _ := lines.([]any)
		for _, l := range list {
			if re.MatchString(fmt.Sprint(l)) {
				return true
			}
		}
		return false
	})
}

// look takes a picture of the screen, where MIRSAL_PICTURES says: people look
// at them.
func (d *dino) look(name string) {
	dir := os.Getenv("MIRSAL_PICTURES")
	if dir == "" {
		return
	}
	who, _, _ := strings.Cut(d.account, "@")
	if _, err := d.try("look", "file", filepath.Join(dir, fmt.Sprintf("%s-%s-%s.png", d.t.Name(), name, who))); err != nil {
		d.t.Log(err)
	}
}

// signIn goes through the dialogs of the first start.
func (d *dino) signIn() {
	d.t.Helper()
	const dialog = "Add Account"
	d.press(mainWindow, "Set up account")
	d.sees(dialog, "^JID$")
	d.do("fill", "title", dialog, "text", d.account)
	d.press(dialog, "Next")
	d.sees(dialog, "^Password$")
	d.do("fill", "title", dialog, "text", password)
	d.look("signing in")
	d.press(dialog, "Connect")
	d.sees(dialog, "All set up")
	d.press(dialog, "Finish")
	d.sees(mainWindow, "You have no open chats")
}

// leaves quits Dino, and returns when it has; comesBack starts it again, with all that it has kept.
func (d *dino) leaves() {
	d.t.Helper()
	if _, err := d.try("leave"); err != nil {
		d.t.Fatal(d.account, err)
	}
}

// comesBack shows the conversation of a name.
func (d *dino) comesBack(name string) {
	d.t.Helper()
	if _, err := d.try("return"); err != nil {
		d.t.Fatal(d.account, err)
	}
	d.opens(name)
}

// wire is what Dino sent and received, and what it said besides.
func (d *dino) wire() string {
	d.t.Helper()
	raw, err := os.ReadFile(d.file("dino.log"))
	if err != nil {
		d.t.Fatal(err)
	}
	return string(raw)
}

// hears waits until something was sent or received that matches.
func (d *dino) hears(pattern string) {
	d.t.Helper()
	re := regexp.MustCompile(pattern)
	terminal.WaitFor(d.t, d.account+" to hear "+pattern, func() bool { return re.MatchString(d.wire()) })
}

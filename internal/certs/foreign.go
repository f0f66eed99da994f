package certs

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
)

// maker is the organisation in the subject of every CA made here, and so in the issuer
// of every certificate: it tells them from those of others.
const maker = "Mirsal"

func madeCA(c *x509.Certificate) bool {
	return c.IsCA && c.PermittedDNSDomainsCritical && slices.Equal(c.Subject.Organization, []string{maker})
}

func madeLeaf(c *x509.Certificate) bool {
	return !c.IsCA && slices.Equal(c.Issuer.Organization, []string{maker})
}

// check refuses a folder with files of others under the names of ours, before
// anything is written.
func (a *authority) check() error {
	if err := a.checkPair("ca.pem", "ca-key.pem", madeCA); err != nil {
		return err
	}
	return a.checkPair("cert.pem", "key.pem", madeLeaf)
}

func (a *authority) checkPair(certName, keyName string, made func(*x509.Certificate) bool) error {
	cert, err := readCert(a.file(certName))
	alone := errors.Is(err, fs.ErrNotExist)
	if !alone && (err != nil || !made(cert)) {
		return foreign(a.file(certName), err)
	}
	_, err = readKey(a.file(keyName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && alone {
		err = checkMode(a.file(keyName))
	}
	if err != nil {
		return foreign(a.file(keyName), err)
	}
	return nil
}

// foreign is the refusal of a file; cause may be nil.
func foreign(path string, cause error) error {
	why := ""
	if cause != nil {
		why = " (" + cause.Error() + ")"
	}
	return fmt.Errorf("%s was not made by mirsal, or is damaged%s: move it elsewhere or restore it, or name your own certificate by tls.cert and tls.key", path, why)
}

// checkMode refuses a key that others may know, which none made here is.
func checkMode(path string) error {
	st, err := os.Stat(path)
	if err == nil && st.Mode().Perm()&0o077 != 0 {
		err = errors.New("others may read it")
	}
	return err
}

func readCert(path string) (*x509.Certificate, error) {
	der, err := readPEM(path, "CERTIFICATE")
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// readKey reads a key of the only kind that is made here.
func readKey(path string) (*ecdsa.PrivateKey, error) {
	der, err := readPEM(path, "PRIVATE KEY")
	if err != nil {
		return nil, err
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, err
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok || key.Curve != elliptic.P256() {
		return nil, errors.New("not a key for P-256")
	}
	return key, nil
}

func readPEM(path, kind string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil || block.Type != kind {
		return nil, fmt.Errorf("no PEM of type %s", kind)
	}
	return block.Bytes, nil
}

// keyFor is the key for a new certificate. One in the file that no certificate of ours
// goes with is taken as it is: it was left when write was cut short.
func (a *authority) keyFor(name string, used bool) (*ecdsa.PrivateKey, error) {
	if !used {
		if key, err := readKey(a.file(name)); !errors.Is(err, fs.ErrNotExist) {
			return key, err
		}
	}
	return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
}

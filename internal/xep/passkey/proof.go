package passkey

import (
	"errors"
	"net/url"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/protocol/webauthncbor"
	"github.com/go-webauthn/webauthn/protocol/webauthncose"
	"github.com/go-webauthn/webauthn/webauthn"

	"mirsal/internal/xmpp/jid"
)

// This file is what browsers are asked and what they prove: Web Authentication, Level 3 (W3C),
// by go-webauthn. Here is what we want of it: no attestation, passkeys that are found without
// a name, a person who is verified each time, and one origin.

// Bounds of what is kept, in bytes.
const (
	maxID  = 512
	maxKey = 1 << 10
)

// errCount is for an authenticator whose count has not grown: there may be two of it.
var errCount = errors.New("its count has not grown")

// created is what navigator.credentials.create has made.
type created struct {
	ID         protocol.URLEncodedBase64 `json:"id"`
	ClientData protocol.URLEncodedBase64 `json:"clientDataJSON"`
	AuthData   protocol.URLEncodedBase64 `json:"authenticatorData"`
}

// asserted is what navigator.credentials.get has found.
type asserted struct {
	ID         protocol.URLEncodedBase64 `json:"id"`
	ClientData protocol.URLEncodedBase64 `json:"clientDataJSON"`
	AuthData   protocol.URLEncodedBase64 `json:"authenticatorData"`
	Signature  protocol.URLEncodedBase64 `json:"signature"`
	UserHandle protocol.URLEncodedBase64 `json:"userHandle"`
}

// person is an account, to authenticators.
type person struct {
	handle        []byte
	name, display string
	keys          []webauthn.Credential
}

func (p *person) WebAuthnID() []byte                         { return p.handle }
func (p *person) WebAuthnName() string                       { return p.name }
func (p *person) WebAuthnDisplayName() string                { return p.display }
func (p *person) WebAuthnCredentials() []webauthn.Credential { return p.keys }

func (f *Feature) personOf(bare jid.JID, keys []passkey) *person {
	who := &person{handle: f.handle(bare.Local()), name: bare.String(), display: bare.Local()}
	for _, p := range keys {
		who.keys = append(who.keys, webauthn.Credential{
			ID: p.ID, PublicKey: p.Public, AttestationFormat: string(protocol.AttestationFormatNone),
			Flags: webauthn.NewCredentialFlags(p.Flags), Authenticator: webauthn.Authenticator{SignCount: p.Count},
		})
	}
	return who
}

// party is the relying party at an origin.
func (f *Feature) party(base *url.URL) *webauthn.WebAuthn {
	return partyAt(base, f.router.Domain.String())
}

func partyAt(base *url.URL, name string) *webauthn.WebAuthn {
	limit := webauthn.TimeoutConfig{Timeout: life}
	return &webauthn.WebAuthn{Config: &webauthn.Config{
		RPID: base.Hostname(), RPDisplayName: name, RPOrigins: []string{base.String()},
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementRequired, RequireResidentKey: protocol.ResidentKeyRequired(),
			UserVerification: protocol.VerificationRequired,
		},
		Timeouts: webauthn.TimeoutsConfig{Login: limit, Registration: limit},
	}}
}

// askCreate makes the options for a new passkey.
// WebAuthn L3 §5.4
func askCreate(at *webauthn.WebAuthn, who *person) (*protocol.CredentialCreation, *webauthn.SessionData, error) {
	return at.BeginRegistration(who, webauthn.WithExclusions(webauthn.Credentials(who.keys).CredentialDescriptors()),
		webauthn.WithCredentialParameters(webauthn.CredentialParametersRecommendedL3()))
}

// register checks a new passkey. That its ID is nobody's yet is for the caller to find out.
//
// What an authenticator attests is not asked for, and what some attest all the same is left
// out: the key is taken out of its data, which nobody vouches for; who registers another
// key than his authenticator's harms himself.
// WebAuthn L3 §7.1
func register(at *webauthn.WebAuthn, who *person, asked *webauthn.SessionData, c *created) (*passkey, error) {
	none := map[string]any{"fmt": "none", "attStmt": map[string]any{}, "authData": []byte(c.AuthData)}
	object, err := webauthncbor.Marshal(none)
	if err != nil {
		return nil, err
	}
	parsed, err := protocol.CredentialCreationResponse{
		PublicKeyCredential: publicKeyCredential(c.ID),
		AttestationResponse: protocol.AuthenticatorAttestationResponse{
			AuthenticatorResponse: protocol.AuthenticatorResponse{ClientDataJSON: c.ClientData}, AttestationObject: object,
		},
	}.Parse()
	if err != nil {
		return nil, err
	}
	k, err := at.CreateCredential(who, *asked, parsed)
	if err != nil {
		return nil, err
	}
	return &passkey{ID: k.ID, Public: k.PublicKey, Flags: k.Flags.ProtocolValue(), Count: k.Authenticator.SignCount}, keepable(k)
}

func publicKeyCredential(id protocol.URLEncodedBase64) protocol.PublicKeyCredential {
	return protocol.PublicKeyCredential{
		Credential: protocol.Credential{ID: id.String(), Type: string(protocol.PublicKeyCredentialType)}, RawID: id,
	}
}

// keepable refuses keys that could never be checked, or only with much work.
func keepable(k *webauthn.Credential) error {
	if len(k.ID) > maxID || len(k.PublicKey) > maxKey {
		return errors.New("a passkey of no such size")
	}
	public, err := webauthncose.ParsePublicKey(k.PublicKey)
	if err != nil {
		return err
	}
	if r, ok := public.(webauthncose.RSAPublicKeyData); ok && (len(r.Modulus) < 256 || len(r.Modulus) > 512) {
		return errors.New("an RSA key of no such size")
	}
	return nil
}

// askGet makes the options to sign in with any passkey of the site. The same challenge makes
// the same session.
// WebAuthn L3 §5.5
func askGet(at *webauthn.WebAuthn, challenge []byte) (*protocol.CredentialAssertion, *webauthn.SessionData, error) {
	return at.BeginDiscoverableLogin(webauthn.WithChallenge(challenge))
}

// verify checks that somebody has a passkey of who, and changes p to what is to be
// kept of it from now on.
// WebAuthn L3 §7.2
func verify(at *webauthn.WebAuthn, who *person, challenge []byte, a *asserted, p *passkey) error {
	_, asked, err := askGet(at, challenge)
	if err != nil {
		return err
	}
	parsed, err := protocol.CredentialAssertionResponse{
		PublicKeyCredential: publicKeyCredential(a.ID),
		AssertionResponse: protocol.AuthenticatorAssertionResponse{
			AuthenticatorResponse: protocol.AuthenticatorResponse{ClientDataJSON: a.ClientData},
			AuthenticatorData:     a.AuthData, Signature: a.Signature, UserHandle: a.UserHandle,
		},
	}.Parse()
	if err != nil {
		return err
	}
	_, k, err := at.ValidatePasskeyLogin(func(_, _ []byte) (webauthn.User, error) { return who, nil }, *asked, parsed)
	if err != nil {
		return err
	}
	if k.Authenticator.CloneWarning {
		return errCount
	}
	p.Count, p.Flags = k.Authenticator.SignCount, k.Flags.ProtocolValue()
	return nil
}

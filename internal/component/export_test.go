package component

// Proof is proof, for tests.
var Proof = proof

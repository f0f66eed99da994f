// What the compiler warns of (accessibility above all) fails `npm run check`.
export default { compilerOptions: { runes: true } };

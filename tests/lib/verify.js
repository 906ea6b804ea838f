// What jose for Node says of a token: verify.js URL ISSUER AUDIENCE FILE. The keys are those
// of the JWK Set at URL. Exit status 1, and the reason, when it does not believe it.
'use strict';

const fs = require('fs');
const jose = require('/usr/share/nodejs/jose');

const [url, issuer, audience, file] = process.argv.slice(2);

jose.jwtVerify(fs.readFileSync(file, 'ascii'), jose.createRemoteJWKSet(new URL(url)), {
    issuer,
    audience,
    typ: 'JWT',
}).then(({ payload }) => {
    console.log(payload.sub);
}).catch((error) => {
    console.log(error.code, error.message);
    process.exitCode = 1;
});

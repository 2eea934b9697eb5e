//! Keys, and what they signed for the tests: by the WebCrypto of Node.js, so that another implementation says what is right.
//!
//! Each token has the claims that the tests of `id_token` begin with, and `at_hash` of the access token `access`; its header
//! has `alg` alone. The private keys were thrown away.

pub(crate) const ED25519: &str =
    "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"RoDQg0pdI_FjQM_cVVhD83OK4tgoDxkBqkX-qpktjsU\"}";

pub(crate) const P256: &str = "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"zwZSzmpg_nIr08BSv9OjGLlr_jnN90HNWwA0f_M9bMw\",\"y\":\"TSlZSsuSDwXCMm\
    bI-Kx14Gpvlv_Ng4dTUH8n1In9m6U\"}";

pub(crate) const P384: &str = "{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"MIozBr5l3SVbqIun7K-OXZXk2THBR3uCnyuWNfhrjVYq1qGC77exe8giybpvTdc8\",\
    \"y\":\"Jrs134nSCm46cswv1ZFqeGZTl8vn2Z19n0znHH_LGbFyy_mxzyemmxmqwvHwqWTl\"}";

pub(crate) const P521: &str = "{\"kty\":\"EC\",\"crv\":\"P-521\",\"x\":\"APJQMhq95iBVo_rr031K1ws9cK4CCNWVJBcFkY37zxpkzgPmc6mYnYUUG0YKnsxK3wjS\
    moAigx02z_bM_XPm4P13\",\"y\":\"APgjxUa7y6P07kk8jdyFHs6Ym39aRwb28LO5UFyGFa7QlbVDYeUxeVdyqSSufPTJaEDuJFEhmpb9p7A\
    6LZI3879x\"}";

pub(crate) const RSA: &str = "{\"kty\":\"RSA\",\"n\":\"zQ7ADUh0EeJvqzzom7lRjP5_rxFC9lJ8Wh3Da7ZtAnIrnjQsztAcopEewUmZ13RNic0y1FRsGFfHBMya8BWJV\
    Hje3DsbgYhGV3zSXlNr_aNRbXAH6RlQLXyxeRfXXIvVCt7WtPUmTSldqfLh8bGEsPC7syIzFjfi3L1dPIQVFurRMfMj5AEyl4VPeryFH53u7AW\
    GmZ5Nx_v5aSHDMqba7UrZ8uR09SLF4HFBmJjDeQ1Zwsi6jhquffZLPG4PNQdVrbkCG_iON7SXwcxdGEEgubxA71eDz7u2W7rkjl-6fh_KlcaMK\
    Xbds-YH4hdlHI-HJTwM7wNvPLHSJkuqd978fw\",\"e\":\"AQAB\"}";

pub(crate) const RSA4096: &str = "{\"kty\":\"RSA\",\"n\":\"uyYjTNBIvWcFN4q1DWhqPTtHoA4LGBa5dX36EOI2f_t3DrgXWhJWQdmJM-FGpEkrU5Nuq7XgLk-HRt1ZJ3c1X\
    p3xmv_k5ZulKYJTaiayXd1IaYGcOjVJvpKou1Ywdqoz7y0thywxseFL8jePXyO2iW-xh96pDtJfh1NT3aZzMXmcCrBrbYnAj_CYv_5DO1IC5wW\
    ILFaAq_OHnRy0VWl-3svAdDO8wwOjubzABMaHpadBvYV3tBYZMwmp_9DGTaIJmYEkyqiqoy7NctIfePndVw5jDxKPjCIcqrJS6UmmsHT5N91n1\
    3r8YNhBre_RekIK-ePWK-XARWavZKTLHxUgAeL8EUYOh98C2Wgcn84i-zmI6e070QVkuS8TGFVVVAvMWlfUAZXnUx045Qs_U7MWKcjezmDVQl6\
    aP_47nlKySiMD8BtAruTPcRZqVad_Wa7Tvmrp-sNKtxDP8MCXjSQ_QtHPB-eYo3B1UO2EvyFHqN_ek9tOH1-AM0Iq25v_inKdhuCpDuz5-O-sU\
    kpxCKggCkCDQCqV4uidTEIaKJNB5oK0YSEbZV2PMbIIEpQXomsMfZLDDAo-Vyd3kI9scOUN9Y8JeAcwBFobEMdD3tWFw2USbhoZprXxvzmi1kb\
    MEE8LzkcPtEQ09P2jrGh-mx4WHZhGTIO5xmhStLUlq12ebME\",\"e\":\"Aw\"}";

/// One token for each algorithm: its name, its key's, and the token.
pub(crate) const TOKENS: [(&str, &str, &str); 10] = [
    (
        "EdDSA",
        ED25519,
        "eyJhbGciOiJFZERTQSJ9.eyJpc3MiOiJodHRwczovL2FzLmV4YW1wbGUiLCJzdWIiOiJ1c2VyLTEiLCJhdWQiOiJhcHAiLCJleHAiOjE3MDAwM\
    DA2MDAsImlhdCI6MTcwMDAwMDAwMCwibm9uY2UiOiJuIiwiYXRfaGFzaCI6Imt5ZDQtaDNab1Yyc0gyMTJrTEtiY09uQ0JhalN0S1EzOEFlX2J\
    mVC1QRkkifQ.5jpTjy9OYMFq0qV1fxp4-XKAwOqjKItSLSQGdlUZt2jdgIdFYiYTQf8vZCwq3ifjLem8l_DGRuHGTGWuIBAEBg",
    ),
    (
        "ES256",
        P256,
        "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJodHRwczovL2FzLmV4YW1wbGUiLCJzdWIiOiJ1c2VyLTEiLCJhdWQiOiJhcHAiLCJleHAiOjE3MDAwM\
    DA2MDAsImlhdCI6MTcwMDAwMDAwMCwibm9uY2UiOiJuIiwiYXRfaGFzaCI6Im9GWWYxa25OdHJxbmhBVmZCUnV0ZVEifQ.i_7BYA9Ex0ylnOhb\
    vjhL-54fjVsMP8XIIyiB52swBrySUdeOPMN3wZrrPvHUZcad219YxxEd0USc65rabG-BTQ",
    ),
    (
        "ES384",
        P384,
        "eyJhbGciOiJFUzM4NCJ9.eyJpc3MiOiJodHRwczovL2FzLmV4YW1wbGUiLCJzdWIiOiJ1c2VyLTEiLCJhdWQiOiJhcHAiLCJleHAiOjE3MDAwM\
    DA2MDAsImlhdCI6MTcwMDAwMDAwMCwibm9uY2UiOiJuIiwiYXRfaGFzaCI6IlNlR09hRWdTNlFOS2JCN3ZrTE0zeThudWplWTRQbGUzIn0.vS3\
    D0oQy00of-kgHGBgb4pwFNlZX0qTHjW0RQVMdEtwEsqPc0AX7QsU2LT1-jQAhbJlKSvl1S2s6N2_yqz7_upGhNGVqhIsN6rZcO__pQLBhMUW5C\
    YLgnfwngHgbZvw-",
    ),
    (
        "ES512",
        P521,
        "eyJhbGciOiJFUzUxMiJ9.eyJpc3MiOiJodHRwczovL2FzLmV4YW1wbGUiLCJzdWIiOiJ1c2VyLTEiLCJhdWQiOiJhcHAiLCJleHAiOjE3MDAwM\
    DA2MDAsImlhdCI6MTcwMDAwMDAwMCwibm9uY2UiOiJuIiwiYXRfaGFzaCI6Imt5ZDQtaDNab1Yyc0gyMTJrTEtiY09uQ0JhalN0S1EzOEFlX2J\
    mVC1QRkkifQ.ALS3WmtSyUTXAbEUF-LAMfxZ-yIIb9bNC-L_erjopyW8EbkSzpMm3TVYgy7XrNzUJcyy5NG3n_pjlSAOOTiCx7M1AbLsQUWviF\
    _hsvfwwAJw-nnIRlTGeG3s0D4DMD9rDLm8_AxdGoYD_xPWafKUOuRiLH3KerTkIrNkYFurJzB8ktIb",
    ),
    (
        "PS256",
        RSA,
        "eyJhbGciOiJQUzI1NiJ9.eyJpc3MiOiJodHRwczovL2FzLmV4YW1wbGUiLCJzdWIiOiJ1c2VyLTEiLCJhdWQiOiJhcHAiLCJleHAiOjE3MDAwM\
    DA2MDAsImlhdCI6MTcwMDAwMDAwMCwibm9uY2UiOiJuIiwiYXRfaGFzaCI6Im9GWWYxa25OdHJxbmhBVmZCUnV0ZVEifQ.LorpU_Jh8nVAUhBd\
    RgkL9IYKYi350PPxmWGBc5QnKBfakMAzHhOW6SURazK8qXjRs9WPY4f0fm8Lq8i4JTtsGOoHTV_FiCRf4AqpWRB7kbneDWsFmzj-Sv4QC5eSSE\
    kuubAn7ytaV-6gjIsNimREEDTJK6yNVoZGDt81x9WRN95XLlaJMISf1maZ69wuUOgujfEjmr-ZWF5UAD8LlDm1dHgmz-7OEQaUH_r5r_XMG5vS\
    m2ScAXbgK8X3vfAoRauCM86e758m1gAnYccwfwOAD563Vw6R9KAzZZ5r49qRNOBizrpjuc_eFFa1nGhYVNJiDdbIannxG7qoPjXGCQW0Ww",
    ),
    (
        "PS384",
        RSA,
        "eyJhbGciOiJQUzM4NCJ9.eyJpc3MiOiJodHRwczovL2FzLmV4YW1wbGUiLCJzdWIiOiJ1c2VyLTEiLCJhdWQiOiJhcHAiLCJleHAiOjE3MDAwM\
    DA2MDAsImlhdCI6MTcwMDAwMDAwMCwibm9uY2UiOiJuIiwiYXRfaGFzaCI6IlNlR09hRWdTNlFOS2JCN3ZrTE0zeThudWplWTRQbGUzIn0.NXk\
    cUqCTtemXXKMu23-TiDryX3LcyF4y699GKFOqKfbF7C0qFugNfiCGHFNo0VcCO1_QJFTAwoYRJEnVfWgqZvgizNE-mLYcyl8uE6L04gU5TdniG\
    s8EXaqVXUXkEFKITpNJNzsPo9UDr2ywreq9E9a8zU5lcP8JTh3i4zSTr6m50NmmNTSmQey_muJu5g3XjYyjbHjyEPC92YFEiVNf_gl3vTUgya_\
    IOwMhTzV0eYDR0_I7dAmcCaXUiMX3OMbt6rHLIj-uSIEPBUeWXs1RQLRQmQ4UATH9LkRiCFSwQlFEqp-qcJ4CAXyA7dzAX8x2n9WiTScEtIUI_\
    L1c77UgYA",
    ),
    (
        "PS512",
        RSA,
        "eyJhbGciOiJQUzUxMiJ9.eyJpc3MiOiJodHRwczovL2FzLmV4YW1wbGUiLCJzdWIiOiJ1c2VyLTEiLCJhdWQiOiJhcHAiLCJleHAiOjE3MDAwM\
    DA2MDAsImlhdCI6MTcwMDAwMDAwMCwibm9uY2UiOiJuIiwiYXRfaGFzaCI6Imt5ZDQtaDNab1Yyc0gyMTJrTEtiY09uQ0JhalN0S1EzOEFlX2J\
    mVC1QRkkifQ.H5uNjD2ZabGtLwYScfPqAq93iQTEUL1kC0-ovoJCkEB-0DjuCMli8KIAE-ul5343B-gZknL_wat21dGjEZg6-az_sh1e0J7t7r\
    6srJP-KDhMPjluscabuar5j6u5CmZMhaNFuH0D1a4dj5EU8pfhIXKSn5HskW9BW0faRjcL8M5hdyizPnavjgStOGUASqGbAV9maikwG9c3Ybl0\
    3DKKG4bzAssIFartqoO1Lo9YXFKUIkSoz3u3Kap6VCD-78hvFwYkvWtTzeMz1m_NVX_cWFjDb0u1p5KYUfuFc6hauurKgpHmGClcxdBxrLsUfs\
    4QUpAnL2dXDCsVkdxyAnq0Lg",
    ),
    (
        "RS256",
        RSA,
        "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwczovL2FzLmV4YW1wbGUiLCJzdWIiOiJ1c2VyLTEiLCJhdWQiOiJhcHAiLCJleHAiOjE3MDAwM\
    DA2MDAsImlhdCI6MTcwMDAwMDAwMCwibm9uY2UiOiJuIiwiYXRfaGFzaCI6Im9GWWYxa25OdHJxbmhBVmZCUnV0ZVEifQ.QTdnado1aZ0FvzuL\
    sBYif0sJRN4y6vuNvN5Y0gMrB6CDNOUnNl4Tg4Xzo6S2yNX7-vJvr7zhO_cs07hkl755lYudskAaKyAPzXT8hndw-r47RaDq5dOO16TwVj31Kx\
    3Z-KZxYMbdWymDYp3SX7msQ00zc8WYwbUvRGUT5eVVLVZQK-ntq9_dJcREWin0Xj3VA0RnhkFBM7qZ0_fFmudiM5xLQ9qAbpRoCgyxaN3UkYvp\
    AM7vq1CTSfWW__GNA1RGB0nujom1QAH4Si7sG4NP8ZvIT8Y6zu0qS7b-9LTR7uPOCS4wcUts2iFD1HFVp9kYZp542P7lTPOu8JR7JE-vWA",
    ),
    (
        "RS384",
        RSA,
        "eyJhbGciOiJSUzM4NCJ9.eyJpc3MiOiJodHRwczovL2FzLmV4YW1wbGUiLCJzdWIiOiJ1c2VyLTEiLCJhdWQiOiJhcHAiLCJleHAiOjE3MDAwM\
    DA2MDAsImlhdCI6MTcwMDAwMDAwMCwibm9uY2UiOiJuIiwiYXRfaGFzaCI6IlNlR09hRWdTNlFOS2JCN3ZrTE0zeThudWplWTRQbGUzIn0.Lyh\
    dV6LVbydZGxvAllsTnOxA5fFkgMvuqqJlYpbcd2zvO7o1BERQBJeCn5EuGzU8Ysia5DvJg_zje2fE_6EeCdhOr5sTEq-rQQeEyl4GLKkcEsbE9\
    8_skGpTheitX5UooGcpvhpa8_Gnpiwdsg6d3S0jO_q1LThxcsd1ftxRVBnpDAJ5fuq9a01cTt3M9RLF_sDPVImFDY7M1xfeLW_G0fL43wKVW4l\
    3HLP7yOc49Jm1mrB0H-4ckmatgOqGVI2ugD1XVglss_YnaXpoAAGC3mjQVV4vlf2rbMaf6OWOjrE8NR-29gzdMk7iS-PjjZnX7hwBkyfmWV4DF\
    oTmtOo_sw",
    ),
    (
        "RS512",
        RSA,
        "eyJhbGciOiJSUzUxMiJ9.eyJpc3MiOiJodHRwczovL2FzLmV4YW1wbGUiLCJzdWIiOiJ1c2VyLTEiLCJhdWQiOiJhcHAiLCJleHAiOjE3MDAwM\
    DA2MDAsImlhdCI6MTcwMDAwMDAwMCwibm9uY2UiOiJuIiwiYXRfaGFzaCI6Imt5ZDQtaDNab1Yyc0gyMTJrTEtiY09uQ0JhalN0S1EzOEFlX2J\
    mVC1QRkkifQ.T9OzT6xzhS91p9aqYgRHGDmJckyMVEdO9UDfd6mdBRtzwgWZvd1ra_YWoCJkY2IyxFsZe2aJaFFHV1gAIIF-FyZDbgclVpZpJG\
    nHyAml-sGUvTZl413v-hR7_8lZan9ExV7-xhyswGX6HtrQxrWinkk2CIAq95GShW5PNVpoOpoawyMiOhxcHeaaonJVGXhp2Yq7EEFnrnlPFKAN\
    LItIpVAmItrbjczUJyfES0MPjUE8uY8DXywNDHEPeIv66uuJ2PchW6Rjr2MTgj2J9Ro30FIwzD27T3xU1mZcrJtQxRo3_pQ6K0j6x_-Mncs6Aa\
    TFoE0wK-zYPYuB715gRHHYlA",
    ),
];

/// PS256 with a salt of so many bytes.
pub(crate) const SALTED: [(usize, &str); 3] = [
    (
        0,
        "eyJhbGciOiJQUzI1NiJ9.eyJpc3MiOiJodHRwczovL2FzLmV4YW1wbGUiLCJzdWIiOiJ1c2VyLTEiLCJhdWQiOiJhcHAiLCJleHAiOjE3MDAwM\
    DA2MDAsImlhdCI6MTcwMDAwMDAwMCwibm9uY2UiOiJuIiwiYXRfaGFzaCI6Im9GWWYxa25OdHJxbmhBVmZCUnV0ZVEifQ.BXokiI4EPafReNkP\
    M2Q5hDJP6u2gqaFQ2T0EDC9lL7wa8JRX_lySsQv69kpVmJT-Ap9ePADdYxDewNIHJxswwNbl6IARineYDampL_Ajpm28O8W52li9NDjFopDOCv\
    gwg06AtM3jtzjF8MbIdUx7tgpdzIfri8ljfjJA0mvQffFKMgMHMxdYUkTfNmPdbHW8BqQO67hcQCgtvXHHgxcjTf6b8mQplmdJLBYkL3BUUWzI\
    3g0AcpRP1HYKzsWdZz5f-v_MvqyTteaD80fp8pclolSpitqsayVU7LKsYAbqKwV9b4AnWoquiIbmtVxvz2FD0XM1X_NvU0nNTCQjrgj5hQ",
    ),
    (
        20,
        "eyJhbGciOiJQUzI1NiJ9.eyJpc3MiOiJodHRwczovL2FzLmV4YW1wbGUiLCJzdWIiOiJ1c2VyLTEiLCJhdWQiOiJhcHAiLCJleHAiOjE3MDAwM\
    DA2MDAsImlhdCI6MTcwMDAwMDAwMCwibm9uY2UiOiJuIiwiYXRfaGFzaCI6Im9GWWYxa25OdHJxbmhBVmZCUnV0ZVEifQ.m8PNZBlbEurRMbxH\
    GMs0qS-tE-LsEVYkQMF8uI57EoC2xPdSx0MrGTwmIf4OUn5VCpTdBSEolKmJRhIQ1K_BbVKYIm9q_uzPHXhCdqYQPAOpElj1Zp_4qtvM3nRGYS\
    ygGf-IXNEKN5H9nKHT1uxtMiTkxBxigY-96VcqK8hXn3hSc7HBhGkFUdtFXZhL75YLqjytBZSINtOGOGUsJ_G_EY-eKS3wKxE7uK8971C1SUcv\
    0_3USSoAGn6WaRPtXQWOK9dS04uf-_rM7hVw8zLktPmSzLV0Bwkfz9FyW-yWZiBWPbtlisRP4W4kI4XteevbB_h8gB0f6en3bejY-FMilw",
    ),
    (
        48,
        "eyJhbGciOiJQUzI1NiJ9.eyJpc3MiOiJodHRwczovL2FzLmV4YW1wbGUiLCJzdWIiOiJ1c2VyLTEiLCJhdWQiOiJhcHAiLCJleHAiOjE3MDAwM\
    DA2MDAsImlhdCI6MTcwMDAwMDAwMCwibm9uY2UiOiJuIiwiYXRfaGFzaCI6Im9GWWYxa25OdHJxbmhBVmZCUnV0ZVEifQ.nzt3uhBD4U9buQDG\
    t2sAZmUEyUHqSoKrPDR3ro2Q-XcQaxgN43RarIQhPvD9_9qNa2BX_7UJheGOv0kACgHzRoTdyrGHS5xZVqcscMEW7lT1GxMndj7KK4tS8IjtbY\
    uPkQt2RLkb0y49y9Zij1Egq7iscoH-2dr456l-sVdcZ1JFE2ioojPQ3baEfpsKT3o4_2o27MofuIgQcdKrnTtuvmh6m2JwzfXM7CTMkUOGzWIc\
    7awSVMgxCny9QLMVUkLaCsZkfvIMbqNySh_f_X0uYyhwGtlpABo-ChEgfxzA46z63gvwBRMzSIDP1D4lKZmjNCbQlV5rnVHeB0DHmgacbQ",
    ),
];

/// RS256 with the key of 4096 bits, whose exponent is 3.
pub(crate) const LARGE: &str = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwczovL2FzLmV4YW1wbGUiLCJzdWIiOiJ1c2VyLTEiLCJhdWQiOiJhcHAiLCJleHAiOjE3MDAwM\
    DA2MDAsImlhdCI6MTcwMDAwMDAwMCwibm9uY2UiOiJuIiwiYXRfaGFzaCI6Im9GWWYxa25OdHJxbmhBVmZCUnV0ZVEifQ.cF-x0oO1WswQly9_\
    qDMxayW-eWSJq13-zbc5uoaYM4AGAqlAhaeSq8GcFK29WEEUtnbFK6l_T-lAODCFuZOXudE48DTCkw77-0AKnn17__nt8iCveJDqOaw4Dp3k3N\
    vmaT0u9VNV3rfgRx88nAO1z4N5m750Z5giZp2FPtVUdDNuQoH62Eb7pbYRX0JXHq7tpAky2ClwpBvHkFKQQlgJq-AewfhPuYcOzEzL3SZv1bPk\
    1ENtr5oZ1KLsw0q9eU81ShaYpff8Lsa8Q941Gmab4qX7PtaSwEL0wR39B2x4p4GQV7ytuvG0YKUlheUaiZhCXQReM5xeyQ0HkAhliX6gkw2mzK\
    60JVa5UmNsL4cfdMY8VHjyJip_DP4Y7kPDwBfI32jvkalTeAkT5GSlJeh4ycamHe8gPjeUP6fzU39XnS3krfpS_LfUB_dVnJ4kMe2O8AwXxyIg\
    7S4POLPNHR_QEQ6wK42E3xYqfqN5orBDS7ZjPpVlCAeRjWFFY_8K01QGWAuW7w8qdVXBAea-t11kJsYTN-DpDe33cEwS60WilhvHnOAJke68zb\
    b9jQtE9ik4RcdhvhV5CUUFtnIbxRW7itotmgGFdLTiRc4I0NBY_W9A9yvHQ9FqkOBtIdteoh4Lw3un7v6RzsaunT11zXt0aOT4z8scgwtYZrAY\
    5lR-xPw";

// SPDX-License-Identifier: MIT
#include "core/base/base.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>

#define SHA256_BYTES 32

struct digest {
	EVP_MD_CTX *sha256;
};

static void must(int ok, const char *call)
{
	if (ok != 1)
		BUG("libcrypto: %s failed", call);
}

struct digest *digest_create(void)
{
	struct digest *d = xmalloc(sizeof(*d));

	d->sha256 = EVP_MD_CTX_new();
	must(d->sha256 != NULL, "EVP_MD_CTX_new");
	must(EVP_DigestInit_ex(d->sha256, EVP_sha256(), NULL), "EVP_DigestInit_ex");
	return d;
}

void digest_add(struct digest *d, const void *data, size_t len)
{
	must(EVP_DigestUpdate(d->sha256, data, len), "EVP_DigestUpdate");
}

void digest_hex(const struct digest *d, char buf[SHA256_HEX_MAX])
{
	/* A copy is ended, because an ended digest takes no more data. */
	EVP_MD_CTX *copy = EVP_MD_CTX_new();
	uint8_t hash[SHA256_BYTES];

	must(copy != NULL, "EVP_MD_CTX_new");
	must(EVP_MD_CTX_copy_ex(copy, d->sha256), "EVP_MD_CTX_copy_ex");
	must(EVP_DigestFinal_ex(copy, hash, NULL), "EVP_DigestFinal_ex");
	EVP_MD_CTX_free(copy);
	for (size_t i = 0; i < sizeof(hash); i++)
		snprintf(buf + 2 * i, 3, "%02x", hash[i]);
}

void digest_destroy(struct digest *d)
{
	if (!d)
		return;
	EVP_MD_CTX_free(d->sha256);
	free(d);
}

void digest_sha1(const void *data, size_t len, uint8_t ret_hash[20])
{
	must(EVP_Digest(data, len, ret_hash, NULL, EVP_sha1(), NULL), "EVP_Digest");
}

size_t base64_encode(const void *data, size_t len, char *out)
{
	if (len > INT_MAX / 2)
		BUG("%zu bytes are too many for base64", len);
	return (size_t)EVP_EncodeBlock((unsigned char *)out, data, (int)len);
}

bool constant_time_equal(const char *a, const char *b)
{
	size_t len = strlen(a);

	/* The length of a secret is no secret here: ours are all of one length. */
	return strlen(b) == len && CRYPTO_memcmp(a, b, len) == 0;
}

#pragma once

// GALLOP_ADDRESS_SANITIZER is 1 in a build with AddressSanitizer, else 0.

#if defined(__SANITIZE_ADDRESS__)
#define GALLOP_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define GALLOP_ADDRESS_SANITIZER 1
#endif
#endif

#ifndef GALLOP_ADDRESS_SANITIZER
#define GALLOP_ADDRESS_SANITIZER 0
#endif

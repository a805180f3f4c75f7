//! Known answers of the eleven hashes and of the chain.
//!
//! The digests of the empty string and of the byte 0xcc are those of the submissions' known-answer files
//! (`ShortMsgKAT_512`, `Len = 0` and `Len = 8`), for SHAvite-3-512 as corrected to its text; those of the sentence and of
//! all lengths were computed with sphlib 3.0, which Dash Core uses. The X11 hashes are in the tests of `x11-hash-js`.

use super::*;

/// Checks a hash against the digests of the empty string, of the byte 0xcc and of a sentence, and against one
/// digest over the digests of every message length from 0 to 300, which takes in each edge of the padding.
fn check(hash: fn(&[u8]) -> [u8; 64], expected: [&str; 4]) {
    let message: [u8; 300] = std::array::from_fn(|i| (i * 7 % 256).try_into().unwrap());
    let all: Vec<u8> = (0..=300).flat_map(|length| hash(&message[..length])).collect();
    let digests = [&[][..], &[0xcc], SENTENCE, &all].map(|input| hex::encode(hash(input)));
    assert_eq!(digests, expected);
}

const SENTENCE: &[u8] = b"The quick brown fox jumps over the lazy dog";

#[test]
fn blake_512_gives_the_known_answers() {
    check(
        blake::hash,
        [
            "a8cfbbd73726062df0c6864dda65defe58ef0cc52a5625090fa17601e1eecd1b\
             628e94f396ae402a00acc9eab77b4d4c2e852aaaa25a636d80af3fc7913ef5b8",
            "4f0ef594f20172d23504873f596984c64c1583c7b2abb8d8786aa2aeeae1c46c\
             744b61893d661b0733b76d1fe19257dd68e0ef05422ca25d058dfe6c33d68709",
            "1f7e26f63b6ad25a0896fd978fd050a1766391d2fd0471a77afb975e5034b7ad\
             2d9ccf8dfb47abbbe656e1b82fbc634ba42ce186e8dc5e1ce09a885d41f43451",
            "a2f2f5894fd797df334ac08836f12f924141c8bb5a70d2d4269ac312deaa7a78\
             f7bbbd576bc5e99ecc264437b49fb1a24b369b652a2ac998cccecb5b991046ff",
        ],
    );
}

#[test]
fn bmw_512_gives_the_known_answers() {
    check(
        bmw::hash,
        [
            "6a725655c42bc8a2a20549dd5a233a6a2beb01616975851fd122504e604b46af\
             7d96697d0b6333db1d1709d6df328d2a6c786551b0cce2255e8c7332b4819c0e",
            "0309cd7a44e6022671e84c43cdb92f613931d1c6b71467c039034b1263c2bf92\
             203e27604bc53fcea9c2df3b10862c9b6fb6e8c617754ef49a2b80f51c74acd3",
            "2998d4cb31323e1169b458ab03a54d0b68e411a3c7cc7612adbf05bf901b8197\
             dfd852c1c0099c09717d2fad3537207e737c6159c31d377d1ab8f5ed1ceeea06",
            "0dc30c01630aef821e246ca7af98431f8a1432dac55f51d243942d72c497b1bf\
             ae73b4629dbf283cf82332db86c58ea187f683e6918a3b9d8da0d19f2f958aa6",
        ],
    );
}

#[test]
fn groestl_512_gives_the_known_answers() {
    check(
        groestl::hash,
        [
            "6d3ad29d279110eef3adbd66de2a0345a77baede1557f5d099fce0c03d6dc2ba\
             8e6d4a6633dfbd66053c20faa87d1a11f39a7fbe4a6c2f009801370308fc4ad8",
            "b23eeeb675c272c6e37a6ee9ab4dc505c9d6a10020f6bed3948205d04cdd1e90\
             b06e494d186ef4f19266d7da200c89dc009e2b1a538cdea199e773fc076f802e",
            "badc1f70ccd69e0cf3760c3f93884289da84ec13c70b3d12a53a7a8a4a513f99\
             715d46288f55e1dbf926e6d084a0538e4eebfc91cf2b21452921ccde9131718d",
            "d214673d91694dfe7799da0caeb957c7ab0d33c9513d79bbff182c78a9af39f9\
             d2ac299ab13c42aacebecb3874ed922dce28afca9262b92f800f166d0018e813",
        ],
    );
}

#[test]
fn skein_512_512_gives_the_known_answers() {
    check(
        skein::hash,
        [
            "bc5b4c50925519c290cc634277ae3d6257212395cba733bbad37a4af0fa06af4\
             1fca7903d06564fea7a2d3730dbdb80c1f85562dfcc070334ea4d1d9e72cba7a",
            "26d8382ebdc39072293ddcdda6568b4add2449a05424a12dfbf11595228e9fbf\
             7c542f25ec0f7348b19ad23ef5e97d45e5cff7bb9969be332923f33be53a6d09",
            "94c2ae036dba8783d0b3f7d6cc111ff810702f5c77707999be7e1c9486ff238a\
             7044de734293147359b4ac7e1d09cd247c351d69826b78dcddd951f0ef912713",
            "1b536e70a3a194af8a436c7a22e89a6d4e6750f112aa782e19419fdb88143e78\
             88a5c9354341afb35670bdfe0defd8089736b4aa1639b72df2fe876497f07b99",
        ],
    );
}

#[test]
fn jh_512_gives_the_known_answers() {
    check(
        jh::hash,
        [
            "90ecf2f76f9d2c8017d979ad5ab96b87d58fc8fc4b83060f3f900774faa2c8fa\
             be69c5f4ff1ec2b61d6b316941cedee117fb04b1f4c5bc1b919ae841c50eec4f",
            "277c93806945992a7f10102f28471af2783fe32003b3f63320810e74f1bc233b\
             f8669ab4b922db9ef13fcdcd4d31193b731eedde98fc87c129c04a4a1071f66f",
            "043f14e7c0775e7b1ef5ad657b1e858250b21e2e61fd699783f8634cb86f3ff9\
             38451cabd0c8cdae91d4f659d3f9f6f654f1bfedca117ffba735c15fedda47a3",
            "b843dc26c38b83d3d29f0650614594bb25927dabbb93c62cbb75db89186794f1\
             27159c95af5ebd4bff7ad11d98ac3c19a769e069096d091f3d0ae1d6b1ab7cdf",
        ],
    );
}

#[test]
fn keccak_512_gives_the_known_answers() {
    check(
        keccak::hash,
        [
            "0eab42de4c3ceb9235fc91acffe746b29c29a8c366b7c60e4e67c466f36a4304\
             c00fa9caf9d87976ba469bcbe06713b435f091ef2769fb160cdab33d3670680e",
            "8630c13cbd066ea74bbe7fe468fec1dee10edc1254fb4c1b7c5fd69b646e4416\
             0b8ce01d05a0908ca790dfb080f4b513bc3b6225ece7a810371441a5ac666eb9",
            "d135bb84d0439dbac432247ee573a23ea7d3c9deb2a968eb31d47c4fb45f1ef4\
             422d6c531b5b9bd6f449ebcc449ea94d0a8f05f62130fda612da53c79659f609",
            "b305556cca6194cdcf345bf8bc41bf477465c3902bf9fb981f5b010912adfc53\
             917c3b244635223b5722aa2eda131d81d3b9a66cf486050ea1c1e94a03d528a3",
        ],
    );
}

#[test]
fn luffa_512_gives_the_known_answers() {
    check(
        luffa::hash,
        [
            "6e7de4501189b3ca58f3ac114916654bbcd4922024b4cc1cd764acfe8ab4b780\
             5df133eab345ffdb1c414564c924f48e0a301824e2ac4c34bd4efde2e43da90e",
            "91f1b09b2842871bc2f069e5d278d2d707ddafabfe3ced5154faf841e9678190\
             8290e6533d146183e8b7ec298f6da20e0cfb1d41f4f711a3050faa8dd4641f7f",
            "459e2280a7cdb0c721d8d9dbeb9ed339659dc9e7b158e9dd2d328d946cb21474\
             dc9177edfc93602f1aadb31944c795c9b5df859a3dc6132d4f0a4c476aaf797f",
            "b3696bbe8e7edb1b01833838ec673bae7faf77c1e9890270a254254d08b3fb90\
             7e7d397d4ca3cad6c162d86ca85db1011986023ae7ea5d8b259d3bb6012ddf5b",
        ],
    );
}

#[test]
fn cubehash_512_gives_the_known_answers() {
    check(
        cubehash::hash,
        [
            "4a1d00bbcfcb5a9562fb981e7f7db3350fe2658639d948b9d57452c22328bb32\
             f468b072208450bad5ee178271408be0b16e5633ac8a1e3cf9864cfbfc8e043a",
            "5c3019f2abc3471ed3a19648071cf2311503dc4202508f8d3efcb1023fd89550\
             5c4d634c1ae9d9f81de6394690366154c715bf8d68242b2c64e1ebb1e538b330",
            "bdba44a28cd16b774bdf3c9511def1a2baf39d4ef98b92c27cf5e37beb8990b7\
             cdb6575dae1a548330780810618b8a5c351c1368904db7ebdf8857d596083a86",
            "dcd5becf0c6282fcce398ba342fe00770b10bc7cc61f8792b58349c61cfaa759\
             753a260005f5ed035fd6155ec3b8748490e21d3410fb04797fb7480716cac7ab",
        ],
    );
}

#[test]
fn shavite_3_512_gives_the_known_answers() {
    check(
        shavite::hash,
        [
            "a485c1b2578459d1efc5dddd840bb0b4a650ac82fe68f58c4442ccda747da006\
             b2d1dc6b4a4eb7d84ff91e1f466fef429d259acd995dddcad16fa545c7a6e5ba",
            "3fe519289541f0ec62f2247b55844f9dfce6d008c9062e4ae2821a0dd9e47b7e\
             37e9b859e1b2d0e0cf1090c68223034c94314a190b92bf71f3810ee32b2732e6",
            "4dbd97835c4e5cfa14799884a7adc96688dd808ff53d5c4cfe7db89a55ee98d0\
             260791ec0c9b5466482ab3f6f236da7e65e1cb6d1ee624f61a5b2b79f63c4120",
            "a6eceb3e6060f6684d7edd3a1a17399ef7c222ce7922ea7bc0119749e60aa615\
             dc59cd1db3aa90022e6bc402112f9457bd74ac3b9e56ffa6401c5f6d5099774f",
        ],
    );
}

#[test]
fn simd_512_gives_the_known_answers() {
    check(
        simd::hash,
        [
            "51a5af7e243cd9a5989f7792c880c4c3168c3d60c4518725fe5757d1f7a69c63\
             66977eaba7905ce2da5d7cfd07773725f0935b55f3efb954996689a49b6d29e0",
            "6fd2d5e6104bd3966283321234cd40f4ed380cb53a03911b610746466c10a93e\
             41c9b745c79dfde3275980fe82fc8372efc406a9b0bdc8c63a375954e63436e2",
            "ca493ce78cc2a63b5a48393e61d113d59a930b3e76d062ab58177345c48b5989\
             0a08661d04dd6160a1b42d215f1e303d97ab0abb54e65f758f79aee2b182b34b",
            "d59dea588f9de8f542cee0d82ca197cdd4c97923e84a7a38e4396d571938f161\
             fd83fe5276aa6b661050b3b7ccfdb9bc06700ae9855237a298d62466c35bd46d",
        ],
    );
}

#[test]
fn echo_512_gives_the_known_answers() {
    check(
        echo::hash,
        [
            "158f58cc79d300a9aa292515049275d051a28ab931726d0ec44bdd9faef4a702\
             c36db9e7922fff077402236465833c5cc76af4efc352b4b44c7fa15aa0ef234e",
            "dfce37ca6f32ba4c3a72e77bca20e511a39b31a6075815f083db2ecfd5c32cfd\
             6a4e0dd9bd51921199758edd2fe8ed0fa31e06aa821c7030653d15408e8728dd",
            "fe61eba97bdfcaa027ded44a5f883fcb900b97449596d7b4a7187c76e71ad750\
             e6117b529bd69992bec015bef862d16d62c384b600cb300d486e565f94202abf",
            "a4e5fe1079d5076ce91d459a50ce3a5e416d87852f7f6c6c50007f3cff7bb068\
             39fc96c2f4c3013c093e73f30eb9a79309c0d9a749d9f543fa2f1b8ed3c5d471",
        ],
    );
}

#[test]
fn x11_gives_the_known_answers() {
    let known = [
        ("", "51b572209083576ea221c27e62b4e22063257571ccb6cc3dc3cd17eb67584eba"),
        ("DASH", "fe809ebca8753d907f6ad32cdcf8e5c4e090d7bece5df35b2147e10b88c12d26"),
        (
            "The quick brown fox jumps over the lazy dog",
            "534536a4e4f16b32447f02f77200449dc2f23b532e3d9878fe111c9de666bc5c",
        ),
    ];
    for (input, hash) in known {
        assert_eq!(hex::encode(x11(input.as_bytes())), hash, "{input:?}");
    }
}

#[test]
fn the_genesis_header_hashes_to_the_genesis_block_hash() {
    // Dash Core, `src/chainparams.cpp`, CMainParams: version, previous block, merkle root, time, bits, nonce.
    let mut merkle_root = hex::decode("e0028eb9648db56b1ac77cf090b99048a8007e2bb64b68f092c03c7f56a662c7").unwrap();
    merkle_root.reverse();
    let header = [
        &1u32.to_le_bytes()[..],
        &[0; 32],
        &merkle_root,
        &1_390_095_618u32.to_le_bytes(),
        &0x1e0f_fff0u32.to_le_bytes(),
        &28_917_698u32.to_le_bytes(),
    ]
    .concat();
    let mut hash = x11(&header);
    hash.reverse();
    assert_eq!(hex::encode(hash), "00000ffd590b1485b3caadc19b22e6379c733355108f107a430458cdf3407ab6");
}

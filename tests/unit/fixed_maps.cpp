// Fixed maps against closed forms: values and log_dets to 50 digits, in the middle and far out, in both precisions; and
// where such maps may stand.
#include <catch2/catch.hpp>
#include <limits>

#include "support/components.h"

using namespace pushforward;        // NOLINT
using namespace pushforward::test;  // NOLINT
using Catch::Matchers::Contains;

namespace {

/// One direction of a map at a number that float32 holds exactly.
struct Row {
  const char* map;
  const char* direction;
  double input, value, log_det;
};

const Row kRows[] = {
    {"exp", "forward", -80, 1.8048513878454152e-35, -80},
    {"exp", "forward", -2.5, 0.082084998623898795, -2.5},
    {"exp", "forward", 0, 1, 0},
    {"exp", "forward", 3.25, 25.790339917193062, 3.25},
    {"exp", "forward", 80, 5.5406223843935101e+34, 80},
    {"exp", "inverse", 8.6736173798840355e-19, -41.588830833596719, 41.588830833596719},
    {"exp", "inverse", 0.125, -2.0794415416798359, 2.0794415416798359},
    {"exp", "inverse", 1.2379400392853803e+27, 62.383246250395078, -62.383246250395078},
    {"log", "forward", 8.6736173798840355e-19, -41.588830833596719, 41.588830833596719},
    {"log", "forward", 0.125, -2.0794415416798359, 2.0794415416798359},
    {"log", "forward", 1, 0, 0},
    {"log", "forward", 1.2379400392853803e+27, 62.383246250395078, -62.383246250395078},
    {"log", "inverse", -80, 1.8048513878454152e-35, -80},
    {"log", "inverse", -2.5, 0.082084998623898795, -2.5},
    {"log", "inverse", 0.75, 2.1170000166126747, 0.75},
    {"log", "inverse", 80, 5.5406223843935101e+34, 80},
    {"expm1", "forward", -80, -1, -80},
    {"expm1", "forward", -9.3132257461547852e-10, -9.3132257418179765e-10, -9.3132257461547852e-10},
    {"expm1", "forward", 0.5, 0.64872127070012815, 0.5},
    {"expm1", "forward", 80, 5.5406223843935101e+34, 80},
    {"expm1", "inverse", -0.96875, -3.4657359027997265, 3.4657359027997265},
    {"expm1", "inverse", 9.0949470177292824e-13, 9.0949470177251465e-13, -9.0949470177251465e-13},
    {"expm1", "inverse", 1.2089258196146292e+24, 55.451774444795625, -55.451774444795625},
    {"log1p", "forward", -0.96875, -3.4657359027997265, 3.4657359027997265},
    {"log1p", "forward", 9.0949470177292824e-13, 9.0949470177251465e-13, -9.0949470177251465e-13},
    {"log1p", "forward", 3, 1.3862943611198906, -1.3862943611198906},
    {"log1p", "forward", 1.2089258196146292e+24, 55.451774444795625, -55.451774444795625},
    {"log1p", "inverse", -60, -1, -60},
    {"log1p", "inverse", 9.3132257461547852e-10, 9.3132257504915938e-10, 9.3132257461547852e-10},
    {"log1p", "inverse", 3, 19.085536923187668, 3},
    {"softplus", "forward", -80, 1.8048513878454152e-35, -80},
    {"softplus", "forward", -2.5, 0.078889734292549623, -2.5788897342925496},
    {"softplus", "forward", 0, 0.69314718055994531, -0.69314718055994531},
    {"softplus", "forward", 3.25, 3.2880413716877831, -0.038041371687783129},
    {"softplus", "forward", 1.073741824e+9, 1.073741824e+9, 0},
    {"softplus", "inverse", 8.6736173798840355e-19, -41.588830833596719, 41.588830833596719},
    {"softplus", "inverse", 0.125, -2.0162905847632012, 2.1412905847632012},
    {"softplus", "inverse", 3.25, 3.2104540578205011, 0.039545942179498942},
    {"softplus", "inverse", 1000, 1000, 0},
    {"softplus: {softness: 0.5}", "forward", -40, 9.0242569392270759e-36, -80},
    {"softplus: {softness: 0.5}", "forward", 0.5, 0.65663084375911142, -0.31326168751822283},
    {"softplus: {softness: 0.5}", "forward", 10, 10.000000001030577, -2.0611536203143807e-9},
    {"softplus: {softness: 0.5}", "inverse", 0.125, -0.62934577472301607, 1.5086915494460321},
    {"softplus: {softness: 0.5}", "inverse", 20, 20, 4.248354255291589e-18},
    {"inverse_softplus", "forward", 8.6736173798840355e-19, -41.588830833596719, 41.588830833596719},
    {"inverse_softplus", "forward", 0.125, -2.0162905847632012, 2.1412905847632012},
    {"inverse_softplus", "forward", 3.25, 3.2104540578205011, 0.039545942179498942},
    {"inverse_softplus", "forward", 1000, 1000, 0},
    {"inverse_softplus", "inverse", -80, 1.8048513878454152e-35, -80},
    {"inverse_softplus", "inverse", -2.5, 0.078889734292549623, -2.5788897342925496},
    {"inverse_softplus", "inverse", 0.5, 0.97407698418010668, -0.47407698418010668},
    {"inverse_softplus", "inverse", 1000, 1000, 0},
    {"sigmoid", "forward", -80, 1.8048513878454152e-35, -80},
    {"sigmoid", "forward", -2.5, 0.075858180021243551, -2.6577794685850992},
    {"sigmoid", "forward", 0, 0.5, -1.3862943611198906},
    {"sigmoid", "forward", 3.25, 0.96267311265587054, -3.3260827433755663},
    {"sigmoid", "forward", 80, 1, -80},
    {"sigmoid", "forward", 1000, 1, -1000},
    {"sigmoid", "inverse", 8.6736173798840355e-19, -41.588830833596719, 41.588830833596719},
    {"sigmoid", "inverse", 0.125, -1.9459101490553133, 2.2129729343043586},
    {"sigmoid", "inverse", 0.75, 1.0986122886681097, 1.6739764335716715},
    {"sigmoid", "inverse", 0.99999904632568359, 13.862942657524135, 13.862944564873677},
    {"sigmoid: {low: -2.0, high: 3.0}", "forward", -2.5, -1.6207090998937822, -1.0483415561509989},
    {"sigmoid: {low: -2.0, high: 3.0}", "forward", 4, 2.9100689501895422, -2.4268619434015191},
    {"sigmoid: {low: -2.0, high: 3.0}", "forward", -50, -2, -48.3905620875659},
    {"sigmoid: {low: -2.0, high: 3.0}", "inverse", -1.5, -2.1972245773362194, 0.79850769621777161},
    {"sigmoid: {low: -2.0, high: 3.0}", "inverse", 2.75, 2.9444389791664405, 1.4375876555074412},
    {"logit", "forward", 8.6736173798840355e-19, -41.588830833596719, 41.588830833596719},
    {"logit", "forward", 0.125, -1.9459101490553133, 2.2129729343043586},
    {"logit", "forward", 0.75, 1.0986122886681097, 1.6739764335716715},
    {"logit", "forward", 0.99999904632568359, 13.862942657524135, 13.862944564873677},
    {"logit", "inverse", -80, 1.8048513878454152e-35, -80},
    {"logit", "inverse", -2.5, 0.075858180021243551, -2.6577794685850992},
    {"logit", "inverse", 0.5, 0.62245933120185456, -1.4481539683602134},
    {"logit", "inverse", 3.25, 0.96267311265587054, -3.3260827433755663},
    {"tanh", "forward", -300, -1, -598.61370563888011},
    {"tanh", "forward", -2.5, -0.98661429815143029, -3.6271363358583455},
    {"tanh", "forward", 9.5367431640625e-7, 9.5367431640596088e-7, -9.0949470177279037e-13},
    {"tanh", "forward", 0.5, 0.46211715726000976, -0.24022901391655505},
    {"tanh", "forward", 9, 0.99999996954004097, -16.613705669340069},
    {"tanh", "forward", 40, 1, -78.613705638880109},
    {"tanh", "inverse", 9.5367431640625e-7, 9.5367431640653912e-7, 9.0949470177334183e-13},
    {"tanh", "inverse", 0.75, 0.97295507452765665, 0.82667857318446793},
    {"tanh", "inverse", -0.99999904632568359, -7.2780451574607898, 13.169796907476233},
    {"arctanh", "forward", 9.5367431640625e-7, 9.5367431640653912e-7, 9.0949470177334183e-13},
    {"arctanh", "forward", 0.75, 0.97295507452765665, 0.82667857318446793},
    {"arctanh", "forward", -0.99999904632568359, -7.2780451574607898, 13.169796907476233},
    {"arctanh", "inverse", -300, -1, -598.61370563888011},
    {"arctanh", "inverse", -2.5, -0.98661429815143029, -3.6271363358583455},
    {"arctanh", "inverse", 9.5367431640625e-7, 9.5367431640596088e-7, -9.0949470177279037e-13},
    {"arctanh", "inverse", 0.5, 0.46211715726000976, -0.24022901391655505},
    {"leaky_tanh", "forward", -300, -3.9252677918224673, -4.6186570091555703},
    {"leaky_tanh", "forward", -1.5, -0.90514825364486644, -1.7108803420275935},
    {"leaky_tanh", "forward", 2.5, 0.98661429815143029, -3.6271363358583455},
    {"leaky_tanh", "forward", 10, 1.0641170138448118, -4.6186570091555703},
    {"leaky_tanh", "inverse", -0.75, -0.97295507452765665, 0.82667857318446793},
    {"leaky_tanh", "inverse", 0.5, 0.54930614433405485, 0.28768207245178093},
    {"leaky_tanh", "inverse", -2, -104.85905743731628, 4.6186570091555703},
    {"leaky_tanh", "inverse", 3, 206.21687549854423, 4.6186570091555703},
    {"softsign", "forward", -1.099511627776e+12, -0.99999999999909051, -55.451774444797444},
    {"softsign", "forward", -2.5, -0.71428571428571429, -2.505525936990736},
    {"softsign", "forward", 9.5367431640625e-7, 9.5367340691241559e-7, -1.9073477233183765e-6},
    {"softsign", "forward", 3, 0.75, -2.7725887222397812},
    {"softsign", "inverse", -0.75, -3, 2.7725887222397812},
    {"softsign", "inverse", 9.5367431640625e-7, 9.5367522590181914e-7, 1.90734954230778e-6},
    {"softsign", "inverse", 0.99999904632568359, 1048575, 27.725887222397812},
    {"softsign: {bound: 5.0}", "forward", -1000, -4.9751243781094527, -10.606609816118152},
    {"softsign: {bound: 5.0}", "forward", 0.5, 0.45454545454545455, -0.19062035960864972},
    {"softsign: {bound: 5.0}", "inverse", -4.5, -45, 4.6051701859880914},
    {"soft_clip: {low: -2.0, high: 3.0}", "forward", -60, -2, -58.008057517075582},
    {"soft_clip: {low: -2.0, high: 3.0}", "forward", -3, -1.6896143181882734, -1.3237783406964212},
    {"soft_clip: {low: -2.0, high: 3.0}", "forward", 0.5, 0.49715398456988229, -0.1653291492433234},
    {"soft_clip: {low: -2.0, high: 3.0}", "forward", 4, 2.6878228002098687, -1.3188900143894454},
    {"soft_clip: {low: -2.0, high: 3.0}", "forward", 70, 3, -67.001342168586464},
    {"soft_clip: {low: -2.0, high: 3.0}", "inverse", -1.96875, -5.4417774009986867, 3.4815552892372997},
    {"soft_clip: {low: -2.0, high: 3.0}", "inverse", 0.5, 0.50335767424455903, 0.16532836114378749},
    {"soft_clip: {low: -2.0, high: 3.0}", "inverse", 2.96875, 6.4484927494878048, 3.4815552892372997},
    {"soft_clip: {low: 0.0, high: 1.0, softness: 0.25}", "forward", -15, 2.1400431730628138e-27, -60.022677146560664},
    {"soft_clip: {low: 0.0, high: 1.0, softness: 0.25}", "forward", 0.5, 0.49827566078361527, -0.27438685818572637},
    {"soft_clip: {low: 0.0, high: 1.0, softness: 0.25}", "forward", 2, 0.99548451487693397, -4.0233419276104076},
    {"soft_clip: {low: 0.0, high: 1.0, softness: 0.25}", "forward", 1000, 1, -3996.0045272186429},
    {"soft_clip: {low: 0.0, high: 1.0, softness: 0.25}", "inverse", 8.6736173798840355e-19, -10.044964831479041,
     40.202536472476828},
    {"soft_clip: {low: 0.0, high: 1.0, softness: 0.25}", "inverse", 0.5, 0.50226874098972622, 0.27437827104947926},
    {"soft_clip: {low: 0.0, high: 1.0, softness: 0.25}", "inverse", 0.99999618530273438, 3.7714549313872345,
     11.090362833706879},
    {"soft_clip: {low: 1.0}", "forward", -60, 1, -61},
    {"soft_clip: {low: 1.0}", "forward", 0.5, 1.4740769841801067, -0.97407698418010668},
    {"soft_clip: {low: 1.0}", "forward", 1000, 1000, 0},
    {"soft_clip: {low: 1.0}", "inverse", 1.125, -1.0162905847632012, 2.1412905847632012},
    {"soft_clip: {low: 1.0}", "inverse", 30, 29.999999999999746, 2.5436656473772464e-13},
    {"soft_clip: {high: 1.0, softness: 2.0}", "forward", -1000, -1000, -4.3212740281538552e-218},
    {"soft_clip: {high: 1.0, softness: 2.0}", "forward", 0.5, -0.65187883975768712, -0.57593941987884356},
    {"soft_clip: {high: 1.0, softness: 2.0}", "forward", 30, 0.99999899130492923, -14.500000504347535},
    {"soft_clip: {high: 1.0, softness: 2.0}", "inverse", -1000, -1000, 4.3212740281538552e-218},
    {"soft_clip: {high: 1.0, softness: 2.0}", "inverse", 0.875, 6.4823519342419535, 2.8036759671209767},
    {"arctan", "forward", -1.2089258196146292e+24, -1.5707963267948966, -110.90354888959125},
    {"arctan", "forward", -2.5, -1.1902899496825317, -1.9810014688665834},
    {"arctan", "forward", 9.5367431640625e-7, 9.5367431640596088e-7, -9.0949470177251465e-13},
    {"arctan", "forward", 0.5, 0.46364760900080612, -0.22314355131420976},
    {"arctan", "forward", 1000, 1.5697963271282298, -13.815511557963774},
    {"arctan", "inverse", -1.5, -14.101419947171719, 5.2975673079568697},
    {"arctan", "inverse", 9.5367431640625e-7, 9.5367431640653912e-7, 9.094947017730661e-13},
    {"arctan", "inverse", 0.75, 0.93159645994407246, 0.62479979579821058},
    {"tan", "forward", -1.5, -14.101419947171719, 5.2975673079568697},
    {"tan", "forward", 9.5367431640625e-7, 9.5367431640653912e-7, 9.094947017730661e-13},
    {"tan", "forward", 0.75, 0.93159645994407246, 0.62479979579821058},
    {"tan", "inverse", -1.2089258196146292e+24, -1.5707963267948966, -110.90354888959125},
    {"tan", "inverse", -2.5, -1.1902899496825317, -1.9810014688665834},
    {"tan", "inverse", 0.5, 0.46364760900080612, -0.22314355131420976},
    {"sinh", "forward", -80, -2.770311192196755e+34, 79.306852819440055},
    {"sinh", "forward", -2.5, -6.0502044810397873, 1.8135681679291728},
    {"sinh", "forward", 9.5367431640625e-7, 9.5367431640639456e-7, 4.5474735088639519e-13},
    {"sinh", "forward", 0.5, 0.52109530549374736, 0.12011450695827752},
    {"sinh", "inverse", -1.2089258196146292e+24, -56.14492162535557, -55.451774444795625},
    {"sinh", "inverse", -2.5, -1.6472311463710957, -0.9905007344332917},
    {"sinh", "inverse", 9.5367431640625e-7, 9.5367431640610544e-7, -4.5474735088625732e-13},
    {"sinh", "inverse", 3, 1.8184464592320668, -1.1512925464970228},
    {"arcsinh", "forward", -1.2089258196146292e+24, -56.14492162535557, -55.451774444795625},
    {"arcsinh", "forward", -2.5, -1.6472311463710957, -0.9905007344332917},
    {"arcsinh", "forward", 9.5367431640625e-7, 9.5367431640610544e-7, -4.5474735088625732e-13},
    {"arcsinh", "forward", 3, 1.8184464592320668, -1.1512925464970228},
    {"arcsinh", "inverse", -60, -5.7100369490784214e+25, 59.306852819440055},
    {"arcsinh", "inverse", -2.5, -6.0502044810397873, 1.8135681679291728},
    {"arcsinh", "inverse", 9.5367431640625e-7, 9.5367431640639456e-7, 4.5474735088639519e-13},
    {"leaky_relu", "forward", -1000, -10, -4.6051701859880914},
    {"leaky_relu", "forward", -0.5, -0.005, -4.6051701859880914},
    {"leaky_relu", "forward", 0.5, 0.5, 0},
    {"leaky_relu", "inverse", -10, -1000, 4.6051701859880914},
    {"leaky_relu", "inverse", 4, 4, 0},
    {"elu: {alpha: 2.0}", "forward", -300, -2, -299.30685281944005},
    {"elu: {alpha: 2.0}", "forward", -0.5, -0.78693868057473315, 0.19314718055994531},
    {"elu: {alpha: 2.0}", "forward", 0.5, 0.5, 0},
    {"elu: {alpha: 2.0}", "inverse", -1.96875, -4.1588830833596719, 3.4657359027997265},
    {"elu: {alpha: 2.0}", "inverse", -9.5367431640625e-7, -4.7683727188999886e-7, -0.69314670372267342},
    {"elu: {alpha: 2.0}", "inverse", 4, 4, 0},
    {"celu: {alpha: 2.0}", "forward", -300, -2, -150},
    {"celu: {alpha: 2.0}", "forward", -0.5, -0.44239843385719026, -0.25},
    {"celu: {alpha: 2.0}", "forward", 0.5, 0.5, 0},
    {"celu: {alpha: 2.0}", "inverse", -1.96875, -8.3177661667193437, 4.1588830833596719},
    {"celu: {alpha: 2.0}", "inverse", 4, 4, 0},
    {"power: {exponent: 2.5}", "forward", 9.765625e-4, 2.9802322387695313e-8, -9.4809169765250246},
    {"power: {exponent: 2.5}", "forward", 0.75, 0.48713928962874674, 0.48476762319648367},
    {"power: {exponent: 2.5}", "forward", 100, 100000, 7.8240460108562921},
    {"power: {exponent: 2.5}", "inverse", 9.765625e-4, 0.0625, 3.2425923514855168},
    {"power: {exponent: 2.5}", "inverse", 3, 1.5518455739153597, -1.5754581050750209},
    {"power: {exponent: -1.5}", "forward", 9.765625e-4, 32768, 17.734144622106797},
    {"power: {exponent: -1.5}", "forward", 0.75, 1.539600717839002, 1.1246702892376167},
    {"power: {exponent: -1.5}", "forward", 100, 0.001, -11.107460356862064},
    {"power: {exponent: -1.5}", "inverse", 9.765625e-4, 101.59366732596477, 11.146987901224257},
    {"power: {exponent: -1.5}", "inverse", 3, 0.48074985676913613, -2.2364855892216805},
    {"power: {exponent: 0.5}", "forward", 9.765625e-4, 0.03125, 2.7725887222397812},
    {"power: {exponent: 0.5}", "forward", 0.75, 0.86602540378443865, -0.54930614433405485},
    {"power: {exponent: 0.5}", "forward", 100, 10, -2.995732273553991},
    {"power: {exponent: 0.5}", "inverse", 9.765625e-4, 9.5367431640625e-7, -6.2383246250395078},
    {"power: {exponent: 0.5}", "inverse", 3, 9, 1.791759469228055},
    {"square", "forward", 9.0949470177292824e-13, 8.2718061255302767e-25, -27.032740041837867},
    {"square", "forward", 0.75, 0.5625, 0.40546510810816438},
    {"square", "forward", 1.099511627776e+12, 1.2089258196146292e+24, 28.419034402957758},
    {"square", "inverse", 8.6736173798840355e-19, 9.3132257461547852e-10, 20.101268236238414},
    {"square", "inverse", 3, 1.7320508075688773, -1.2424533248940002},
    {"cube", "forward", 9.3132257461547852e-10, 8.0779356694631609e-28, -40.490218544928609},
    {"cube", "forward", 0.75, 0.421875, 0.52324814376454784},
    {"cube", "forward", 1.073741824e+9, 1.2379400392853803e+27, 42.687443122264828},
    {"cube", "inverse", 8.6736173798840355e-19, 9.5367431640625e-7, 26.627274933729703},
    {"cube", "inverse", 3, 1.4422495703074084, -1.8310204811135162},
    {"reciprocal", "forward", 9.0949470177292824e-13, 1.099511627776e+12, 55.451774444795625},
    {"reciprocal", "forward", 0.75, 1.3333333333333333, 0.57536414490356185},
    {"reciprocal", "forward", 1.099511627776e+12, 9.0949470177292824e-13, -55.451774444795625},
    {"reciprocal", "inverse", 9.0949470177292824e-13, 1.099511627776e+12, 55.451774444795625},
    {"reciprocal", "inverse", 3, 0.33333333333333333, -2.1972245773362194},
    {"normal_cdf", "forward", -12, 1.776482112077679e-33, -72.918938533204673},
    {"normal_cdf", "forward", -2.5, 0.0062096653257761352, -4.0439385332046727},
    {"normal_cdf", "forward", 0, 0.5, -0.91893853320467274},
    {"normal_cdf", "forward", 0.5, 0.6914624612740131, -1.0439385332046727},
    {"normal_cdf", "forward", 4, 0.99996832875816688, -8.9189385332046727},
    {"normal_cdf", "forward", 1000, 1, -500000.9189385332},
    {"normal_cdf", "inverse", 8.6736173798840355e-19, -8.7733211690275517, 39.404520700658156},
    {"normal_cdf", "inverse", 0.0625, -1.5341205443525463, 2.0957014555069492},
    {"normal_cdf", "inverse", 0.5, 0, 0.91893853320467274},
    {"normal_cdf", "inverse", 0.75, 0.67448975019608174, 1.1464067447644591},
    {"normal_cdf", "inverse", 0.99999904632568359, 4.763001034267814, 12.262027959422805},
    {"normal_cdf: {loc: 0.5, scale: 2.0}", "forward", -20, 5.9171769073656179e-25, -54.143335713764618},
    {"normal_cdf: {loc: 0.5, scale: 2.0}", "forward", 1, 0.59870632568292372, -1.6433357137646181},
    {"normal_cdf: {loc: 0.5, scale: 2.0}", "inverse", 0.0625, -2.5682410887050926, 2.7888486360668946},
    {"erf", "forward", -2.5, -0.99959304798255504, -6.1292177623647548},
    {"erf", "forward", 9.5367431640625e-7, 1.0761062308265405e-6, 0.12078223763433573},
    {"erf", "forward", 0.5, 0.52049987781304654, -0.12921776236475478},
    {"erf", "forward", 30, 1, -899.87921776236475},
    {"erf", "inverse", 0.75, 0.81341984759761854, 0.54086961083048775},
    {"erf", "inverse", -0.99999904632568359, -3.4655050258033307, 11.888942846232899},
    {"cauchy_cdf", "forward", -1.2089258196146292e+24, 2.6329976663519249e-25, -112.04827877544065},
    {"cauchy_cdf", "forward", -2.5, 0.1211189415908434, -3.1257313547159836},
    {"cauchy_cdf", "forward", 0.5, 0.64758361765043327, -1.3678734371636099},
    {"cauchy_cdf", "forward", 100, 0.99681700723509174, -10.355170252825916},
    {"cauchy_cdf", "inverse", 8.6736173798840355e-19, -3.6698631291025015e+17, 82.032931781344037},
    {"cauchy_cdf", "inverse", 0.0625, -5.0273394921258481, 4.4133151615121713},
    {"cauchy_cdf", "inverse", 0.75, 1, 1.8378770664093455},
    {"cauchy_cdf", "inverse", 0.99999904632568359, 333772.1072140558, 26.581157336551404},
    {"gumbel_cdf", "forward", -4, 1.9423376049564018e-24, -50.598150033144239},
    {"gumbel_cdf", "forward", -0.5, 0.19229564554796493, -1.1487212707001281},
    {"gumbel_cdf", "forward", 0.5, 0.54523921189260506, -1.1065306597126334},
    {"gumbel_cdf", "forward", 3, 0.95143199290045341, -3.0497870683678639},
    {"gumbel_cdf", "forward", 60, 1, -60},
    {"gumbel_cdf", "inverse", 8.6736173798840355e-19, -3.7278316416404364, 37.860999191956282},
    {"gumbel_cdf", "inverse", 0.75, 1.2458993237072382, 1.5335813961590191},
    {"gumbel_cdf", "inverse", 0.99999904632568359, 13.862943134361559, 13.86294408803633},
    {"gumbel_cdf: {loc: 0.5, scale: 2.0}", "forward", -6, 6.3008289161565159e-12, -23.233487097753007},
    {"gumbel_cdf: {loc: 0.5, scale: 2.0}", "forward", 2, 0.62352491625680042, -1.91551373330096},
    {"gumbel_cdf: {loc: 0.5, scale: 2.0}", "inverse", 0.125, -0.96419873617289073, 2.0404893541533359},
    {"frechet_cdf: {loc: -1.0, scale: 2.0, concentration: 1.5}", "forward", -0.75, 1.4894902271242679e-10,
     -17.716495216221712},
    {"frechet_cdf: {loc: -1.0, scale: 2.0, concentration: 1.5}", "forward", 0.5, 0.21446671706769441,
     -1.1080776091613306},
    {"frechet_cdf: {loc: -1.0, scale: 2.0, concentration: 1.5}", "forward", 1000, 0.99991069526537424,
     -15.8267903780625},
    {"frechet_cdf: {loc: -1.0, scale: 2.0, concentration: 1.5}", "inverse", 8.6736173798840355e-19,
     -0.83338573253440386, 35.663460169981106},
    {"frechet_cdf: {loc: -1.0, scale: 2.0, concentration: 1.5}", "inverse", 0.75, 3.5893882195960839,
     2.6518630177489589},
    {"weibull_cdf", "forward", 8.6736173798840355e-19, 8.6736173798840355e-19, -8.6736173798840355e-19},
    {"weibull_cdf", "forward", 0.5, 0.39346934028736658, -0.5},
    {"weibull_cdf", "forward", 3, 0.95021293163213606, -3},
    {"weibull_cdf", "forward", 80, 1, -80},
    {"weibull_cdf", "inverse", 8.6736173798840355e-19, 8.6736173798840355e-19, 8.6736173798840355e-19},
    {"weibull_cdf", "inverse", 0.75, 1.3862943611198906, 1.3862943611198906},
    {"weibull_cdf", "inverse", 0.99999904632568359, 13.862943611198906, 13.862943611198906},
    {"weibull_cdf: {scale: 1.5, concentration: 2.0}", "forward", 9.5367431640625e-7, 4.0421986745455308e-13,
     -13.980726646855694},
    {"weibull_cdf: {scale: 1.5, concentration: 2.0}", "forward", 0.5, 0.10516068318563023, -0.92204132732743988},
    {"weibull_cdf: {scale: 1.5, concentration: 2.0}", "forward", 3, 0.98168436111126582, -3.0191707469882738},
    {"weibull_cdf: {scale: 1.5, concentration: 2.0}", "forward", 10, 1, -42.259642387106782},
    {"weibull_cdf: {scale: 1.5, concentration: 2.0}", "inverse", 8.6736173798840355e-19, 1.3969838619232178e-9,
     20.506733344346578},
    {"weibull_cdf: {scale: 1.5, concentration: 2.0}", "inverse", 0.75, 1.766115033773212, 0.9352951586789692},
    {"weibull_cdf: {scale: 1.5, concentration: 2.0}", "inverse", 0.99999904632568359, 5.5849461165885512,
     12.260651862260962},
    {"gompertz_cdf: {concentration: 2.0, rate: 0.25}", "forward", 9.3132257461547852e-10, 4.6566128725352915e-10,
     -0.69314718079277595},
    {"gompertz_cdf: {concentration: 2.0, rate: 0.25}", "forward", 0.5, 0.23378839919829956, -0.83444408669359794},
    {"gompertz_cdf: {concentration: 2.0, rate: 0.25}", "forward", 10, 0.99999999980635372, -20.558135101966892},
    {"gompertz_cdf: {concentration: 2.0, rate: 0.25}", "forward", 20, 1, -290.51946538571315},
    {"gompertz_cdf: {concentration: 2.0, rate: 0.25}", "inverse", 8.6736173798840355e-19, 1.7347234759768071e-18,
     0.69314718055994531},
    {"gompertz_cdf: {concentration: 2.0, rate: 0.25}", "inverse", 0.75, 2.1063561365561779, 1.5528525075407914},
    {"gompertz_cdf: {concentration: 2.0, rate: 0.25}", "inverse", 0.99999904632568359, 8.283354472490186,
     12.485252173636305},
    {"moyal_cdf", "forward", -4, 1.4787477410049539e-13, -26.218013549776792},
    {"moyal_cdf", "forward", -0.5, 0.19913306236855442, -1.4932991685547368},
    {"moyal_cdf", "forward", 0.5, 0.43609707638502894, -1.4722038630609895},
    {"moyal_cdf", "forward", 60, 0.99999999999992534, -30.918938533204673},
    {"moyal_cdf", "inverse", 8.6736173798840355e-19, -4.361061587315614, 37.908535397837359},
    {"moyal_cdf", "inverse", 0.75, 2.2873906724109414, 2.1133993915439542},
    {"moyal_cdf", "inverse", 0.99999904632568359, 27.274304517107881, 14.556090791759328},
    {"kumaraswamy_cdf", "forward", 8.6736173798840355e-19, 8.6736173798840355e-19, 0},
    {"kumaraswamy_cdf", "forward", 0.5, 0.5, 0},
    {"kumaraswamy_cdf", "forward", 0.99999904632568359, 0.99999904632568359, 0},
    {"kumaraswamy_cdf", "inverse", 0.75, 0.75, 0},
    {"kumaraswamy_cdf: {concentration1: 2.0, concentration0: 3.0}", "forward", 9.3132257461547852e-10,
     2.6020852139652106e-18, -19.002655947570304},
    {"kumaraswamy_cdf: {concentration1: 2.0, concentration0: 3.0}", "forward", 0.5, 0.578125, 0.52324814376454784},
    {"kumaraswamy_cdf: {concentration1: 2.0, concentration0: 3.0}", "forward", 0.875, 0.98712539672851563,
     -1.2434376879113912},
    {"kumaraswamy_cdf: {concentration1: 2.0, concentration0: 3.0}", "inverse", 8.6736173798840355e-19,
     5.3769933915662185e-10, 19.551962091904359},
    {"kumaraswamy_cdf: {concentration1: 2.0, concentration0: 3.0}", "inverse", 0.75, 0.60830870045772271,
     -0.37049043362970307},
    {"kumaraswamy_cdf: {concentration1: 2.0, concentration0: 3.0}", "inverse", 0.99999904632568359, 0.99506626251606797,
     7.4551488867852725},
    {"kumaraswamy_cdf: {concentration1: 0.5, concentration0: 0.25}", "forward", 9.3132257461547852e-10,
     7.629481844295715e-6, 8.3177890552521905},
    {"kumaraswamy_cdf: {concentration1: 0.5, concentration0: 0.25}", "forward", 0.5, 0.26433968426576319,
     -0.81190756842522651},
    {"kumaraswamy_cdf: {concentration1: 0.5, concentration0: 0.25}", "forward", 0.875, 0.49587989940854096,
     0.042146388054866169},
    {"kumaraswamy_cdf: {concentration1: 0.5, concentration0: 0.25}", "inverse", 9.5367431640625e-7,
     1.4551873595059677e-11, -10.397211999935081},
    {"kumaraswamy_cdf: {concentration1: 0.5, concentration0: 0.25}", "inverse", 0.25, 0.4673004150390625,
     0.83600385376844472},
    {"kumaraswamy_cdf: {concentration1: 0.5, concentration0: 0.25}", "inverse", 0.99999904632568359, 1,
     -39.509389291916883},
};

/// Relative error; numbers that the precision does not hold count as zero.
template <class T>
double relative_error(double got, double expected) {
  const double least = static_cast<double>(std::numeric_limits<T>::min());
  if (std::abs(expected) < least) return std::abs(got) <= least ? 0 : INFINITY;
  return std::abs(got - expected) / std::abs(expected);
}

double error(double got, double expected) { return std::abs(got - expected) / std::max(1.0, std::abs(expected)); }

}  // namespace

TEMPLATE_TEST_CASE("fixed maps and their log_dets are exact far into the tails", "", float, double) {
  constexpr double kAllowed = 64 * static_cast<double>(std::numeric_limits<TestType>::epsilon());
  for (const Row& row : kRows) {
    const auto runner = make_runner<TestType>("bijector", row.map, around(1));
    const Response r = run(*runner, row.direction, rows({{row.input}}));
    CAPTURE(row.map, row.direction, row.input, r.outputs[0](0, 0), row.value, r.outputs[1](0, 0), row.log_det);
    CHECK(relative_error<TestType>(r.outputs[0](0, 0), row.value) < kAllowed);
    CHECK(error(r.outputs[1](0, 0), row.log_det) < kAllowed);
  }
}

TEMPLATE_TEST_CASE("outside of its domain a fixed map gives NaN, in that row alone", "", float, double) {
  const struct {
    const char *map, *direction;
    double inside, outside;
  } kCases[] = {
      {"exp", "inverse", 1, -1},
      {"log", "forward", 1, -1},
      {"expm1", "inverse", 1, -2},
      {"softplus", "inverse", 1, -1},
      {"sigmoid", "inverse", 0.5, 1.5},
      {"logit", "forward", 0.5, -0.5},
      {"tanh", "inverse", 0.5, 1.5},
      {"softsign", "inverse", 0.5, -1.5},
      {"arctan", "inverse", 1, 2},
      {"square", "forward", 1, -1},
      {"cube", "forward", 1, -1},
      {"reciprocal", "inverse", 1, -1},
      {"elu", "inverse", 1, -1.5},
      {"normal_cdf", "inverse", 0.5, 2},
      {"erf", "inverse", 0.5, -2},
      {"cauchy_cdf", "inverse", 0.5, -0.1},
      {"gumbel_cdf", "inverse", 0.5, 2},
      {"weibull_cdf", "forward", 1, -1},
      {"kumaraswamy_cdf", "forward", 0.5, -1},
      {"power: {exponent: 2.5}", "forward", 1, -1},
      {"soft_clip: {low: 0.0, high: 1.0}", "inverse", 0.5, 1.5},
  };
  for (const auto& c : kCases) {
    CAPTURE(c.map);
    const auto runner = make_runner<TestType>("bijector", c.map, around(1));
    const Response r = run(*runner, c.direction, rows({{c.inside}, {c.outside}}));
    for (const Array& output : r.outputs) {
      CHECK(std::isfinite(output(0, 0)));
      CHECK(std::isnan(output(1, 0)));
    }
  }
}

TEST_CASE("a fixed map has no parameters, stands for a bijector, and can be inverted") {
  const auto runner = make_runner("bijector", "invert: {bijector: gumbel_cdf}", around(2));
  CHECK(parameter_paths(*runner).empty());
  const Response r = run(*runner, "forward", rows({{0.5, 0.25}}));
  CHECK(r.outputs[0](0, 0) == Approx(-std::log(std::log(2.0))).epsilon(1e-14));
  CHECK(r.outputs[0](0, 1) == Approx(-std::log(std::log(4.0))).epsilon(1e-14));
  CHECK(r.outputs[1](0, 0) == Approx(-std::log(0.5 * std::log(2.0)) - std::log(0.25 * std::log(4.0))).epsilon(1e-14));
  const auto reversed =
      make_runner("bijector", "elementwise: {transformer: gumbel_cdf, maps: data_to_base}", around(2));
  CHECK(run(*reversed, "forward", rows({{0.5, 0.25}})).outputs[0].values == r.outputs[0].values);
}

TEST_CASE("a coupling has no use for a map without parameters") {
  CHECK_THROWS_WITH(make_runner("bijector", "coupling: {transformer: exp}", around(3)),
                    Contains("transformer") && Contains("has no parameters for the network to give"));
}

TEST_CASE("fixed maps refuse fields that leave no map") {
  const auto making = [](const char* map) { make_runner("bijector", map, around(1)); };
  CHECK_THROWS_WITH(making("sigmoid: {low: 1.0, high: 1.0}"), Contains("high") && Contains("larger than low"));
  CHECK_THROWS_WITH(making("soft_clip: {low: 1.0, high: 0.5}"), Contains("high") && Contains("larger than low"));
  CHECK_THROWS_WITH(making("soft_clip"), Contains("low") && Contains("nothing to clip"));
  CHECK_THROWS_WITH(making("power: {exponent: 0}"), Contains("exponent") && Contains("another exponent"));
}

// dispatch.gen.cuh: made of gpuaug/ops.py and kernels/op_*.cuh by `python kernels/generate.py`; not to be edited.
// clang-format off
#pragma once
// X(code, function, parameters, channels that it works on; 0: any)
#define AUG_OPS(X) \
  X(OP_MOVE, op_move, MoveOp, 0) \
  X(OP_ROUND, op_round, RoundOp, 0) \
  X(OP_LINEAR_U8, op_linear_u8, LinearU8Op, 0) \
  X(OP_LINEAR_U8_MEAN, op_linear_u8_mean, LinearU8MeanOp, 0) \
  X(OP_LINEAR, op_linear, LinearOp, 0) \
  X(OP_LINEAR_MEAN, op_linear_mean, LinearMeanOp, 0) \
  X(OP_NORMALIZE, op_normalize, NormalizeOp, 0) \
  X(OP_STANDARDIZE, op_standardize, StandardizeOp, 0) \
  X(OP_HSV_U8, op_hsv_u8, HsvU8Op, 3) \
  X(OP_HSV, op_hsv, HsvOp, 3) \
  X(OP_GRAY, op_gray, GrayOp, 3) \
  X(OP_GRAY_LAB, op_gray_lab, GrayLabOp, 3) \
  X(OP_DIFFERS, op_differs, DiffersOp, 0) \
  X(OP_UNSHARP, op_unsharp, UnsharpOp, 0) \
  X(OP_ADD, op_add, AddOp, 0) \
  X(OP_FIELD, op_field, FieldOp, 0) \
  X(OP_SHAPES, op_shapes, ShapesOp, 0) \
  X(OP_LUT, op_lut, LutOp, 0) \
  X(OP_LUT_TILES, op_lut_tiles, LutTilesOp, 0) \
  X(OP_TO_YCRCB, op_to_ycrcb, ToYcrcbOp, 3) \
  X(OP_FROM_YCRCB, op_from_ycrcb, FromYcrcbOp, 3) \
  X(OP_TO_LAB, op_to_lab, ToLabOp, 3) \
  X(OP_FROM_LAB, op_from_lab, FromLabOp, 3) \
  X(OP_TO_BYTES, op_to_bytes, ToBytesOp, 0) \
  X(OP_FROM_BYTES, op_from_bytes, FromBytesOp, 0) \
  X(OP_GAUSS, op_gauss, GaussOp, 0) \
  X(OP_RECTS, op_rects, RectsOp, 0) \
  X(OP_BITMAP, op_bitmap, BitmapOp, 0) \
  X(OP_PIXELS, op_pixels, PixelsOp, 0) \
  X(OP_CHANNELS, op_channels, ChannelsOp, 0) \
  X(OP_INVERT, op_invert, InvertOp, 0) \
  X(OP_SOLARIZE, op_solarize, SolarizeOp, 0) \
  X(OP_POWER, op_power, PowerOp, 0) \
  X(OP_CURVE, op_curve, CurveOp, 0) \
  X(OP_POSTERIZE, op_posterize, PosterizeOp, 0) \
  X(OP_MIX, op_mix, MixOp, 3) \
  X(OP_PERMUTE, op_permute, PermuteOp, 3) \
  X(OP_PERMUTE_LAYER, op_permute_layer, PermuteLayerOp, 0) \
  X(OP_LINEAR_CHANNELS, op_linear_channels, LinearChannelsOp, 0) \
  X(OP_FANCY, op_fancy, FancyOp, 0) \
  X(OP_PROJECT, op_project, ProjectOp, 3) \
  X(OP_DIVIDE, op_divide, DivideOp, 0) \
  X(OP_QUANTIZE, op_quantize, QuantizeOp, 0) \
  X(OP_CONTRAST_U8, op_contrast_u8, ContrastU8Op, 0) \
  X(OP_CONTRAST, op_contrast, ContrastOp, 0) \
  X(OP_SATURATION, op_saturation, SaturationOp, 3) \
  X(OP_TO_HLS, op_to_hls, ToHlsOp, 3) \
  X(OP_FROM_HLS, op_from_hls, FromHlsOp, 3) \
  X(OP_BLEACH, op_bleach, BleachOp, 3) \
  X(OP_BOXES, op_boxes, BoxesOp, 3) \
  X(OP_ISO, op_iso, IsoOp, 3) \
  X(OP_ADDITIVE, op_additive, AdditiveOp, 0) \
  X(OP_MULTIPLY, op_multiply, MultiplyOp, 0) \
  X(OP_SPECKLE, op_speckle, SpeckleOp, 0) \
  X(OP_SHOT, op_shot, ShotOp, 0) \
  X(OP_SHARPEN, op_sharpen, SharpenOp, 0) \
  X(OP_STRETCH, op_stretch, StretchOp, 0) \
  X(OP_BEZIER, op_bezier, BezierOp, 0) \
  X(OP_FLARE, op_flare, FlareOp, 3) \
  X(OP_SCREEN, op_screen, ScreenOp, 3) \
  X(OP_SNOW, op_snow, SnowOp, 3) \
  X(OP_STAIN, op_stain, StainOp, 3) \
  X(OP_PATTERN, op_pattern, PatternOp, 0) \
  X(OP_SPLASH, op_splash, SplashOp, 3) \
  X(OP_ABOVE, op_above, AboveOp, 0) \
  X(OP_GLASS, op_glass, GlassOp, 0) \
  X(OP_ZOOM, op_zoom, ZoomOp, 0) \
  X(OP_TAKE, op_take, TakeOp, 0) \
  X(OP_BLEND_MEAN, op_blend_mean, BlendMeanOp, 0) \
  X(OP_BLEND_GRAY, op_blend_gray, BlendGrayOp, 3) \
  X(OP_TINT, op_tint, TintOp, 3) \
  X(OP_TURN_HUE, op_turn_hue, TurnHueOp, 3) \
  X(OP_WIDEN, op_widen, WidenOp, 0) \
  X(OP_LEVELS, op_levels, LevelsOp, 0) \
  X(OP_UNBLUR, op_unblur, UnblurOp, 0) \
  X(OP_WEIGH, op_weigh, WeighOp, 0)

// The same of those whose functions are in one header: kernels/cpu/ops/ has a file for each.
#define AUG_OPS_COLOR(X) \
  X(OP_GRAY, op_gray, GrayOp, 3) \
  X(OP_SATURATION, op_saturation, SaturationOp, 3) \
  X(OP_GRAY_LAB, op_gray_lab, GrayLabOp, 3) \
  X(OP_HSV_U8, op_hsv_u8, HsvU8Op, 3) \
  X(OP_HSV, op_hsv, HsvOp, 3)
#define AUG_OPS_FIELD(X) \
  X(OP_FIELD, op_field, FieldOp, 0)
#define AUG_OPS_GRAIN(X) \
  X(OP_ADDITIVE, op_additive, AdditiveOp, 0) \
  X(OP_MULTIPLY, op_multiply, MultiplyOp, 0) \
  X(OP_SPECKLE, op_speckle, SpeckleOp, 0) \
  X(OP_SHOT, op_shot, ShotOp, 0)
#define AUG_OPS_HLS(X) \
  X(OP_TO_HLS, op_to_hls, ToHlsOp, 3) \
  X(OP_FROM_HLS, op_from_hls, FromHlsOp, 3) \
  X(OP_BLEACH, op_bleach, BleachOp, 3) \
  X(OP_BOXES, op_boxes, BoxesOp, 3) \
  X(OP_ISO, op_iso, IsoOp, 3)
#define AUG_OPS_LAYER(X) \
  X(OP_DIFFERS, op_differs, DiffersOp, 0) \
  X(OP_UNSHARP, op_unsharp, UnsharpOp, 0) \
  X(OP_SHARPEN, op_sharpen, SharpenOp, 0) \
  X(OP_ADD, op_add, AddOp, 0) \
  X(OP_TAKE, op_take, TakeOp, 0)
#define AUG_OPS_LOOKUP(X) \
  X(OP_LUT, op_lut, LutOp, 0) \
  X(OP_LUT_TILES, op_lut_tiles, LutTilesOp, 0) \
  X(OP_TO_BYTES, op_to_bytes, ToBytesOp, 0) \
  X(OP_FROM_BYTES, op_from_bytes, FromBytesOp, 0)
#define AUG_OPS_MIX(X) \
  X(OP_MIX, op_mix, MixOp, 3) \
  X(OP_PERMUTE, op_permute, PermuteOp, 3) \
  X(OP_PERMUTE_LAYER, op_permute_layer, PermuteLayerOp, 0) \
  X(OP_LINEAR_CHANNELS, op_linear_channels, LinearChannelsOp, 0) \
  X(OP_FANCY, op_fancy, FancyOp, 0) \
  X(OP_PROJECT, op_project, ProjectOp, 3)
#define AUG_OPS_NOISE(X) \
  X(OP_GAUSS, op_gauss, GaussOp, 0)
#define AUG_OPS_REPLACE(X) \
  X(OP_RECTS, op_rects, RectsOp, 0) \
  X(OP_PIXELS, op_pixels, PixelsOp, 0) \
  X(OP_CHANNELS, op_channels, ChannelsOp, 0) \
  X(OP_BITMAP, op_bitmap, BitmapOp, 0)
#define AUG_OPS_SCENE(X) \
  X(OP_FLARE, op_flare, FlareOp, 3) \
  X(OP_SCREEN, op_screen, ScreenOp, 3) \
  X(OP_SNOW, op_snow, SnowOp, 3) \
  X(OP_STAIN, op_stain, StainOp, 3) \
  X(OP_PATTERN, op_pattern, PatternOp, 0) \
  X(OP_SPLASH, op_splash, SplashOp, 3) \
  X(OP_GLASS, op_glass, GlassOp, 0) \
  X(OP_ZOOM, op_zoom, ZoomOp, 0)
#define AUG_OPS_SHAPES(X) \
  X(OP_SHAPES, op_shapes, ShapesOp, 0)
#define AUG_OPS_SPACE(X) \
  X(OP_TO_YCRCB, op_to_ycrcb, ToYcrcbOp, 3) \
  X(OP_FROM_YCRCB, op_from_ycrcb, FromYcrcbOp, 3) \
  X(OP_TO_LAB, op_to_lab, ToLabOp, 3) \
  X(OP_FROM_LAB, op_from_lab, FromLabOp, 3) \
  X(OP_MOVE, op_move, MoveOp, 0)
#define AUG_OPS_TONE(X) \
  X(OP_ROUND, op_round, RoundOp, 0) \
  X(OP_LINEAR_U8, op_linear_u8, LinearU8Op, 0) \
  X(OP_LINEAR_U8_MEAN, op_linear_u8_mean, LinearU8MeanOp, 0) \
  X(OP_LINEAR_MEAN, op_linear_mean, LinearMeanOp, 0) \
  X(OP_CONTRAST_U8, op_contrast_u8, ContrastU8Op, 0) \
  X(OP_CONTRAST, op_contrast, ContrastOp, 0) \
  X(OP_STRETCH, op_stretch, StretchOp, 0) \
  X(OP_BEZIER, op_bezier, BezierOp, 0) \
  X(OP_NORMALIZE, op_normalize, NormalizeOp, 0) \
  X(OP_STANDARDIZE, op_standardize, StandardizeOp, 0) \
  X(OP_CURVE, op_curve, CurveOp, 0) \
  X(OP_POSTERIZE, op_posterize, PosterizeOp, 0)
#define AUG_OPS_VISION(X) \
  X(OP_BLEND_MEAN, op_blend_mean, BlendMeanOp, 0) \
  X(OP_BLEND_GRAY, op_blend_gray, BlendGrayOp, 3) \
  X(OP_TINT, op_tint, TintOp, 3) \
  X(OP_TURN_HUE, op_turn_hue, TurnHueOp, 3) \
  X(OP_WIDEN, op_widen, WidenOp, 0) \
  X(OP_UNBLUR, op_unblur, UnblurOp, 0) \
  X(OP_WEIGH, op_weigh, WeighOp, 0)
#define AUG_OPS_VALUES(X) \
  X(OP_LINEAR, op_linear, LinearOp, 0) \
  X(OP_INVERT, op_invert, InvertOp, 0) \
  X(OP_SOLARIZE, op_solarize, SolarizeOp, 0) \
  X(OP_POWER, op_power, PowerOp, 0) \
  X(OP_DIVIDE, op_divide, DivideOp, 0) \
  X(OP_QUANTIZE, op_quantize, QuantizeOp, 0) \
  X(OP_ABOVE, op_above, AboveOp, 0) \
  X(OP_LEVELS, op_levels, LevelsOp, 0)

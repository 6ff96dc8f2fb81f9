"""Which DICOM values cannot tell who the patient is: an allow-list. Whatever is not on it counts as patient data.

Free text never is on the list, whatever its attribute is meant for: people write names everywhere. A number must be one, a code
string one of the words that the standard or the large manufacturers define (PS3.3, C.7 and C.8), a unique identifier the
registered one of a class and not of an image.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from pydicom.uid import UID

_NUMBERS = """
AcquisitionMatrix AcquisitionNumber BitsAllocated BitsStored CTDIvol Columns DataCollectionDiameter DiffusionBValue
DistanceSourceToDetector DistanceSourceToPatient EchoNumbers EchoTime EchoTrainLength EffectiveEchoTime Exposure ExposureInuAs
ExposureTime ExposureTimeInms FileMetaInformationGroupLength FlipAngle FocalSpots FrameTime GantryDetectorTilt GeneratorPower
HighBit ImageOrientationPatient ImagePositionPatient ImagesInAcquisition ImagingFrequency InStackPositionNumber InstanceNumber
InversionTime KVP LargestImagePixelValue LossyImageCompressionRatio MagneticFieldStrength NumberOfAverages NumberOfFrames
NumberOfPhaseEncodingSteps NumberOfSlices NumberOfTemporalPositions PercentPhaseFieldOfView PercentSampling PixelAspectRatio
PixelBandwidth PixelPaddingRangeLimit PixelPaddingValue PixelRepresentation PixelSpacing PlanarConfiguration
RealWorldValueIntercept RealWorldValueSlope ReconstructionDiameter RepetitionTime RescaleIntercept RescaleSlope RevolutionTime
Rows SAR SamplesPerPixel SeriesNumber SingleCollimationWidth SliceLocation SliceThickness SmallestImagePixelValue
SpacingBetweenSlices SpiralPitchFactor TableFeedPerRotation TableHeight TablePosition TableSpeed TemporalPositionIdentifier
TotalCollimationWidth WindowCenter WindowWidth XRayTubeCurrent XRayTubeCurrentInmA
"""
_IMAGE_TYPES = """
ORIGINAL DERIVED PRIMARY SECONDARY AXIAL LOCALIZER OTHER MPR MIP MINIP REFORMATTED AVERAGE NONE VOLUME CT_SOM5 CT_SOM7 SPI SEQ
SPO STD SUM M P R I FFE SE IR M_FFE M_SE M_IR P_FFE PHASE MAGNITUDE PHASE_MAP MAGNITUDE_MIXED REAL IMAGINARY MIXED NORM ND
DIS2D DIS3D FM2 FIL FM4_1 MFSPLIT MOSAIC DIFFUSION ADC TRACEW FA PERFUSION PROJECTION RESAMPLED SUBTRACTION T1 T2 T2_STAR
PROTON_DENSITY STIR FLUID_ATTENUATED DENSITY_MAP VELOCITY_MAP WATER FAT IN_PHASE OUT_OF_PHASE SOURCE UNIFORM INV1 INV2 UNI
SCREEN SAVE
"""
_PLAIN_NUMBERS, _TYPE_WORDS = frozenset(_NUMBERS.split()), frozenset(_IMAGE_TYPES.split())

_YES_NO = frozenset({"YES", "NO"})
_WORDS: dict[str, frozenset[str]] = {
    "BurnedInAnnotation": _YES_NO,
    "ComplexImageComponent": frozenset({"MAGNITUDE", "PHASE", "REAL", "IMAGINARY", "MIXED"}),
    "ContentQualification": frozenset({"PRODUCT", "RESEARCH", "SERVICE"}),
    "ExposureModulationType": frozenset({"NONE", "ANGULAR", "Z", "XYZ_EC", "XY", "AUTO"}),
    "InPlanePhaseEncodingDirection": frozenset({"ROW", "COL", "COLUMN"}),
    "LossyImageCompression": frozenset({"00", "01"}),
    "LossyImageCompressionMethod": frozenset({"ISO_10918_1", "ISO_14495_1", "ISO_15444_1", "ISO_13818_2"}),
    "LongitudinalTemporalInformationModified": frozenset({"MODIFIED", "UNMODIFIED", "REMOVED"}),
    "Manufacturer": frozenset(
        {"GE MEDICAL SYSTEMS", "SIEMENS", "Siemens", "Siemens Healthineers", "Philips", "Philips Medical Systems", "TOSHIBA",
         "CANON_MEC", "CANON MEDICAL SYSTEMS", "Hitachi Medical Corporation", "UIH", "NeuroLogica", "CT-MRI Studio"}
    ),
    "Modality": frozenset({"CT", "MR", "PT", "SC", "OT", "SEG", "NM", "US", "CR", "DX"}),
    "MRAcquisitionType": frozenset({"1D", "2D", "3D"}),
    "PatientIdentityRemoved": _YES_NO,
    "PatientPosition": frozenset({"HFS", "HFP", "HFDR", "HFDL", "FFS", "FFP", "FFDR", "FFDL"}),
    "PhotometricInterpretation": frozenset(
        {"MONOCHROME1", "MONOCHROME2", "PALETTE COLOR", "RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT"}
    ),
    "PixelIntensityRelationship": frozenset({"LIN", "LOG"}),
    "QualityControlSubject": _YES_NO,
    "RecognizableVisualFeatures": _YES_NO,
    "RescaleType": frozenset({"HU", "HU_MOD", "US", "OD", "MGML", "Z_EFF", "ED", "EDW", "PCT"}),
    "RotationDirection": frozenset({"CW", "CC"}),
    "ScanningSequence": frozenset({"SE", "IR", "GR", "EP", "RM"}),
    "ScanOptions": frozenset(
        {"PER", "RG", "CG", "PPG", "FC", "PFF", "PFP", "SP", "FS", "AXIAL MODE", "HELICAL MODE", "HELICAL_CT", "SCOUT MODE",
         "AXIAL", "HELICAL", "NONE"}
    ),
    "SequenceVariant": frozenset({"SK", "MTC", "SS", "TRSS", "SP", "MP", "OSP", "TOF", "NONE"}),
    "SyntheticData": _YES_NO,
    "VolumetricProperties": frozenset({"VOLUME", "SAMPLED", "DISTORTED", "MIXED"}),
}  # fmt: skip
_NUMBER = re.compile(r"[-+]?[0-9]*\.?[0-9]*([eE][-+]?[0-9]+)?")
_CHARACTER_SETS = re.compile(r"(ISO_IR \d{1,3}|ISO 2022 IR \d{1,3}|GB18030|GBK)?")
_CLASSES = frozenset({"SOPClassUID", "MediaStorageSOPClassUID", "ReferencedSOPClassUID", "TransferSyntaxUID"})
_SHORTEST_NUMBER = 5  # of an ID: shorter ones are met by chance


def is_safe(keyword: str, values: Collection[Any], identities: Collection[str] = ()) -> bool:
    """Whether the value of this attribute may be shown to whoever looks. An empty value may.

    `identities`: numbers of the same patient, which no number on the list may repeat.
    """
    texts = [str(value).strip() for value in values]
    if not any(texts):
        return True
    if keyword in _PLAIN_NUMBERS:
        known = {_digits(text) for text in identities}
        repeated = any(len(_digits(text)) >= _SHORTEST_NUMBER and _digits(text) in known for text in texts)
        return not repeated and all(map(_NUMBER.fullmatch, texts))
    if keyword in _CLASSES:
        return all(UID(text).name != text for text in texts)
    if keyword == "SpecificCharacterSet":
        return all(_CHARACTER_SETS.fullmatch(text) for text in texts)
    words = _TYPE_WORDS if keyword in ("ImageType", "FrameType") else _WORDS.get(keyword, frozenset())
    return all(not text or text in words for text in texts)


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)
